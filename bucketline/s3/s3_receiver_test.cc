#include "bucketline/s3/s3_receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/s3_testing.h"

namespace bucketline {
namespace {

using testing::ErrorXml;
using ::testing::HasSubstr;

S3Failure Of(std::string_view body) {
  HttpResponseHead head;
  head.status = 200;
  head.headers.Add("x-amz-request-id", "R1");
  return FailureOfDocument(testing::TestContext(), head, body,
                           Error(ErrorCode::kCorruptData, "the document ends early"));
}

// S3 begins to answer some requests before it knows how they end.
TEST(FailureOfDocument, AnErrorInASuccessIsThatError) {
  const S3Failure failure = Of(ErrorXml("SlowDown"));
  EXPECT_EQ(failure.s3_code, "SlowDown");
  EXPECT_EQ(failure.error.code(), ErrorCode::kThrottled);
}

TEST(FailureOfDocument, APageIsNoAnswerOfAStore) {
  EXPECT_THAT(Of("please log in").error.message(), HasSubstr("proxy"));
}

TEST(FailureOfDocument, WhatBrokeOnTheWayIsWorthAnotherAttempt) {
  for (const char* body : {"", "<?xml version=\"1.0\"?><ListBucketRes"}) {
    const S3Failure failure = Of(body);
    EXPECT_EQ(failure.fault, S3Fault::kTransient);
    EXPECT_EQ(failure.error.code(), ErrorCode::kCorruptData);
    EXPECT_EQ(failure.error.message(), "the document ends early");
    EXPECT_EQ(failure.error.uri(), "s3://bucket/key");
    EXPECT_EQ(failure.error.request_id(), "R1");
  }
}

}  // namespace
}  // namespace bucketline
