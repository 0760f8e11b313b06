#include "bucketline/store/posix_error.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace bucketline {
namespace {

ErrorCode CodeOf(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
      return ErrorCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kPermissionDenied;
    case EEXIST:
      return ErrorCode::kAlreadyExists;
    case ENAMETOOLONG:
    case EISDIR:
      return ErrorCode::kInvalidArgument;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorCode::kResourceExhausted;
    default:
      return ErrorCode::kIo;
  }
}

std::string_view AdviceFor(int error_number) {
  switch (error_number) {
    case EMFILE:
      return "; raise the limit of open files (ulimit -n)";
    case ENOSPC:
      return "; free some space or write elsewhere";
    case EISDIR:
      return "; a folder of that name exists";
    default:
      return "";
  }
}

}  // namespace

Error PosixError(int error_number, std::string_view what, std::string uri) {
  return Error(CodeOf(error_number),
               fmt::format("cannot {}: {}{}", what, std::generic_category().message(error_number),
                           AdviceFor(error_number)),
               std::move(uri));
}

}  // namespace bucketline
