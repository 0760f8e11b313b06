// A file's bytes, mapped.
#pragma once

#include <string>

#include "bucketline/base/bytes.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {

// Read-only and shared: processes that map the same file share its pages, and only what is touched is read. The bytes
// live as long as a copy of the result. The file must not be changed in place meanwhile (another one may be renamed to
// its name): one that is cut ends the process with SIGBUS when what is gone is touched. Throws kNotFound, kIo and what
// else open says; kInvalidArgument for what is no regular file.
Bytes MapFile(const std::string& path);

// The same of an open file, which may be closed afterwards; `path` is for errors.
Bytes MapFile(const UniqueFd& file, const std::string& path);

}  // namespace bucketline
