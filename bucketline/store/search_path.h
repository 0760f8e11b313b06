// InSearchPath: whether a program is there, before it is started.
#pragma once

#include <string>

namespace bucketline {

// `path` as PATH has it, folders with ':' between them; nullptr: none. Empty ones, which the shell takes for the
// current folder, do not count.
bool InSearchPath(const std::string& program, const char* path);

}  // namespace bucketline
