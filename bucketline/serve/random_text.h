// Unguessable names: upload ids, keys.
#pragma once

#include <cstddef>
#include <string>

namespace bucketline::serve {

// `length` characters of A-Z a-z 0-9 from the system's generator. Throws Error kInternal when that fails.
std::string RandomText(size_t length);

}  // namespace bucketline::serve
