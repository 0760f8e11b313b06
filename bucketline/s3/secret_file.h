// Small files that hold a token.
#pragma once

#include <string>

namespace bucketline {

// The content without blanks and line breaks at either end. Throws kIo, naming the path: it is missing, cannot be read,
// is empty or larger than 1 MiB.
std::string ReadSecretFile(const std::string& path);

}  // namespace bucketline
