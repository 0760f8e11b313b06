// What errno means as an Error.
#pragma once

#include <string>
#include <string_view>

#include "bucketline/base/error.h"

namespace bucketline {

// "cannot <what>: <reason>" with the code that fits and, where it is known, what to do.
Error PosixError(int error_number, std::string_view what, std::string uri = {});

}  // namespace bucketline
