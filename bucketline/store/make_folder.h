// MakeFolder: a folder of this machine that somebody named.
#pragma once

#include <string>

namespace bucketline {

// With those above it; nothing when it is there. Throws kIo naming it.
void MakeFolder(const std::string& folder);

}  // namespace bucketline
