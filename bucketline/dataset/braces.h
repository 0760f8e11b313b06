// Braces: one text that stands for several, as a shell writes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bucketline {

// "a{000..146}b": a number from the first to the last, both included, with as many digits as the first has.
// "{x,y,}": each of these. Several braces give every combination, the last one varying fastest. Braces around
// anything else stay as they are. Throws kInvalidArgument for a range that descends, and for more than 100000
// texts.
std::vector<std::string> ExpandBraces(std::string_view text);

}  // namespace bucketline
