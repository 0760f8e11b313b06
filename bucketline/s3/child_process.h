// RunChild: runs a program and takes what it prints.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/base/clock.h"

namespace bucketline {

struct ChildResult {
  int exit_code = 0;  // 128 + n when signal n ended it
  std::string out;
  std::string err;
};

// Looks for arguments[0] in PATH; no shell, nothing on its standard input, a process group of its own. Throws
// kInvalidArgument when it cannot be started; kTimeout, kCancelled, or kUnavailable when either output is longer than
// `max_output`: the group is killed then. `name` is what messages call it.
ChildResult RunChild(const std::vector<std::string>& arguments, std::string_view name, Duration deadline,
                     size_t max_output, std::stop_token stop);

// Words as a POSIX shell splits them: blanks, single and double quotes, backslashes; nothing is expanded. Throws
// kInvalidArgument when a quote stays open.
std::vector<std::string> SplitCommandLine(std::string_view text);

}  // namespace bucketline
