#include "bucketline/s3/attempt_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/s3_testing.h"

namespace bucketline {
namespace {

using testing::ErrorXml;
using ::testing::HasSubstr;

// Takes "good" documents only.
class AttemptSinkTest : public ::testing::Test {
 protected:
  void Head(int status) {
    HttpResponseHead head;
    head.status = status;
    head_taken_ = sink_.OnHead(head).ok();
  }
  Result<void> Body(std::string_view text) {
    return sink_.OnBody({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }
  std::optional<S3Failure> End() { return sink_.Judge(HttpTiming{}); }

  bool head_taken_ = false;
  AttemptSink sink_{testing::TestContext(),
                    std::make_shared<DocumentReceiver>(
                        testing::TestContext(),
                        [](const HttpResponseHead&, std::string_view body) -> std::optional<S3Failure> {
                          if (body == "good") return std::nullopt;
                          return S3Failure{Error(ErrorCode::kCorruptData, "bad")};
                        })};
};

TEST_F(AttemptSinkTest, ASuccessIsTheReceivers) {
  Head(200);
  EXPECT_TRUE(Body("go"));
  EXPECT_TRUE(Body("od"));
  EXPECT_FALSE(End());
  EXPECT_TRUE(sink_.answered());
  EXPECT_EQ(sink_.received(), 4u);
}

TEST_F(AttemptSinkTest, WhatTheReceiverSaysAtTheEndCounts) {
  Head(200);
  EXPECT_TRUE(Body("goo"));
  const auto failure = End();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->error.code(), ErrorCode::kCorruptData);
}

TEST_F(AttemptSinkTest, AReceiversRefusalEndsTheExchangeAndStands) {
  Head(200);
  const std::string most(DocumentReceiver::kMaxBody, 'x');
  EXPECT_TRUE(Body(most));
  const Result<void> refused = Body("x");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("longer than any that S3 gives"));
  const auto failure = sink_.Judge(Error(ErrorCode::kConnection, "given up"));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->error.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(failure->error.uri(), "s3://bucket/key");
}

TEST_F(AttemptSinkTest, ARefusalsDocumentIsJudgedAndCountsAsNoBytes) {
  Head(503);
  EXPECT_TRUE(head_taken_);
  EXPECT_TRUE(Body(ErrorXml("SlowDown")));
  const auto failure = End();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->s3_code, "SlowDown");
  EXPECT_EQ(sink_.received(), 0u);
}

TEST_F(AttemptSinkTest, OfALongRefusalTheBeginningIsEnough) {
  Head(403);
  EXPECT_TRUE(Body(ErrorXml("AccessDenied")));
  EXPECT_FALSE(Body(std::string(AttemptSink::kMaxErrorBody, ' ')))
      << "reading on costs more than a connection";
  const auto failure = sink_.Judge(Error(ErrorCode::kConnection, "given up"));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->s3_code, "AccessDenied");
}

TEST_F(AttemptSinkTest, ACancelledExchangeIsThatWhateverHadCome) {
  Head(503);
  EXPECT_TRUE(Body(ErrorXml("SlowDown")));
  const auto failure = sink_.Judge(Error(ErrorCode::kCancelled, "stopped"));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->error.code(), ErrorCode::kCancelled);
}

TEST_F(AttemptSinkTest, WithoutAnAnswerTheFailureIsTheTransports) {
  const auto failure = sink_.Judge(Error(ErrorCode::kConnection, "refused"));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->error.code(), ErrorCode::kConnection);
  EXPECT_EQ(failure->fault, S3Fault::kTransient);
  EXPECT_FALSE(sink_.answered());
}

}  // namespace
}  // namespace bucketline
