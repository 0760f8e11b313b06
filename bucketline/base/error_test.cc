#include "bucketline/base/error.h"

#include <string>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

TEST(Error, KeepsWhatItWasGiven) {
  const Error error(ErrorCode::kPermissionDenied, "the store said no", "s3://b/k", 403, "REQ1");
  EXPECT_EQ(error.code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(error.message(), "the store said no");
  EXPECT_EQ(error.uri(), "s3://b/k");
  EXPECT_EQ(error.http_status(), 403);
  EXPECT_EQ(error.request_id(), "REQ1");
}

TEST(Error, WhatIsOneLineOfWhatIsKnown) {
  const auto what = [](auto... arguments) {
    return std::string(Error(ErrorCode::kUnavailable, arguments...).what());
  };
  EXPECT_EQ(what("failed"), "failed");
  EXPECT_EQ(what("failed", "s3://b/k"), "s3://b/k: failed");
  EXPECT_EQ(what("failed", "s3://b/k", 503), "s3://b/k: failed (HTTP 503)");
  EXPECT_EQ(what("failed", "s3://b/k", 503, "R"), "s3://b/k: failed (HTTP 503, request id R)");
  EXPECT_EQ(what("failed", "", 503), "failed (HTTP 503)");
  EXPECT_EQ(what("failed", "", 0, "R"), "failed") << "a request id without an answer would mislead";
  EXPECT_EQ(what("a\nb\tc", "s3://b/k\r\n"), "s3://b/k  : a b c");
  EXPECT_EQ(what("grün"), "grün") << "bytes of UTF-8 stay";
}

TEST(Error, WithUriNamesTheObjectOnlyIfNoneWasNamed) {
  const Error bare(ErrorCode::kNotFound, "no such key", "", 404, "R");
  const Error named = bare.WithUri("s3://b/k");
  EXPECT_EQ(named.uri(), "s3://b/k");
  EXPECT_EQ(named.code(), ErrorCode::kNotFound);
  EXPECT_EQ(std::string(named.what()), "s3://b/k: no such key (HTTP 404, request id R)");
  EXPECT_EQ(named.WithUri("s3://other/k").uri(), "s3://b/k");
}

TEST(Error, CanBeCaughtAsAStandardException) {
  try {
    throw Error(ErrorCode::kIo, "disk full", "/data");
  } catch (const std::exception& error) {
    EXPECT_EQ(std::string(error.what()), "/data: disk full");
  }
}

// Python's exception classes and JSON carry these names: they must not change.
TEST(ErrorCodeName, IsStable) {
  EXPECT_EQ(ErrorCodeName(ErrorCode::kInvalidArgument), "InvalidArgument");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kNotFound), "NotFound");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kPermissionDenied), "PermissionDenied");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kUnauthenticated), "Unauthenticated");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kAlreadyExists), "AlreadyExists");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kObjectChanged), "ObjectChanged");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kThrottled), "Throttled");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kUnavailable), "Unavailable");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kConnection), "Connection");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kTimeout), "Timeout");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kCorruptData), "CorruptData");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kResourceExhausted), "ResourceExhausted");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kCancelled), "Cancelled");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kIo), "Io");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kUnsupported), "Unsupported");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kInternal), "Internal");
}

}  // namespace
}  // namespace bucketline
