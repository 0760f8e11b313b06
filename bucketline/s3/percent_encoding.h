// Percent-encoding as Signature Version 4 wants it: A-Z a-z 0-9 - . _ ~ stay, every other byte becomes %XX.
#pragma once

#include <string>
#include <string_view>

namespace bucketline {

// For query names and values: a slash is encoded too.
std::string EncodeQueryComponent(std::string_view raw);

// For paths, applied once: slashes stay, nothing is normalised.
std::string EncodePath(std::string_view raw);

// The reverse of what S3 does to keys under encoding-type=url: %XX is a byte, "+" a blank. A "%" that no two
// hex digits follow stays as it is.
std::string UnquotePlus(std::string_view text);

}  // namespace bucketline
