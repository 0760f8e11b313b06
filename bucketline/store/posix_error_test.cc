#include "bucketline/store/posix_error.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bucketline {
namespace {

TEST(PosixError, CodesFollowTheReason) {
  const std::pair<int, ErrorCode> cases[] = {
      {ENOENT, ErrorCode::kNotFound},          {ENOTDIR, ErrorCode::kNotFound},
      {ELOOP, ErrorCode::kNotFound},           {EACCES, ErrorCode::kPermissionDenied},
      {EPERM, ErrorCode::kPermissionDenied},   {EROFS, ErrorCode::kPermissionDenied},
      {EEXIST, ErrorCode::kAlreadyExists},     {ENAMETOOLONG, ErrorCode::kInvalidArgument},
      {EISDIR, ErrorCode::kInvalidArgument},   {ENOSPC, ErrorCode::kResourceExhausted},
      {EDQUOT, ErrorCode::kResourceExhausted}, {EFBIG, ErrorCode::kResourceExhausted},
      {EMFILE, ErrorCode::kResourceExhausted}, {ENFILE, ErrorCode::kResourceExhausted},
      {ENOMEM, ErrorCode::kResourceExhausted}, {EIO, ErrorCode::kIo}};
  for (const auto& [number, code] : cases) EXPECT_EQ(PosixError(number, "open it").code(), code) << number;
}

TEST(PosixError, SaysWhatFailedWhyAndWhatToDo) {
  const Error error = PosixError(EMFILE, "open it", "/data/k");
  EXPECT_EQ(error.uri(), "/data/k");
  EXPECT_THAT(error.message(), ::testing::HasSubstr("cannot open it: Too many open files"));
  EXPECT_THAT(error.message(), ::testing::HasSubstr("ulimit -n"));
  EXPECT_THAT(PosixError(ENOSPC, "write it").message(), ::testing::HasSubstr("free some space"));
  EXPECT_THAT(PosixError(EISDIR, "name it").message(), ::testing::HasSubstr("folder of that name"));
}

}  // namespace
}  // namespace bucketline
