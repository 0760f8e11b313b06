// Requests and the limits that they share.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/concurrency_limits.h"
#include "bucketline/s3/s3_testing.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using testing::Completion;
using testing::ErrorAnswer;
using testing::ObjectAnswer;
using testing::ScriptedS3;
using testing::VectorSink;
using testing::Whole;

ScriptedAnswer Hang() {
  ScriptedAnswer answer;
  answer.hang = true;
  return answer;
}

class S3OperationLimitsTest : public ::testing::Test {
 protected:
  S3OperationLimitsTest() { s3_.environment.limits = &limits_; }

  struct Read {
    Completion<ObjectInfo> done;
    std::stop_source stop;
  };
  std::unique_ptr<Read> Start(ObjectStore& store) {
    auto read = std::make_unique<Read>();
    GetRequest request = Whole("folder/k");
    request.stop = read->stop.get_token();
    store.Get(std::move(request), std::make_shared<VectorSink>(), read->done.Done());
    return read;
  }

  ConcurrencyLimits limits_{{.first = 2, .floor = 1, .ceiling = 2, .backoff = 0.5}};
  ScriptedS3 s3_;
};

TEST_F(S3OperationLimitsTest, WhatIsOverTheLimitIsNotSent) {
  for (int i = 0; i < 2; ++i) s3_.transport.Push(Hang());
  s3_.transport.Push(ObjectAnswer("third"));
  const auto store = s3_.Store();
  const auto first = Start(*store);
  const auto second = Start(*store);
  const auto third = Start(*store);
  EXPECT_EQ(s3_.transport.requests().size(), 2u);
  EXPECT_EQ(limits_.Read().waiting, 1u);
  first->stop.request_stop();
  EXPECT_TRUE(third->done.Wait());
  EXPECT_EQ(s3_.transport.requests().size(), 3u);
  second->stop.request_stop();
  EXPECT_EQ(second->done.Wait().error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(limits_.Read().in_flight, 0u);
}

TEST_F(S3OperationLimitsTest, AStopEndsWhatWaitsForItsTurn) {
  for (int i = 0; i < 2; ++i) s3_.transport.Push(Hang());
  auto store = s3_.Store();
  std::vector<std::unique_ptr<Read>> reads;
  for (int i = 0; i < 5; ++i) reads.push_back(Start(*store));
  reads[3]->stop.request_stop();
  EXPECT_EQ(reads[3]->done.Wait().error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(limits_.Read().waiting, 2u);
  store.reset();
  for (const int i : {0, 1, 2, 4}) EXPECT_EQ(reads[i]->done.Wait().error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(s3_.transport.requests().size(), 2u);
  EXPECT_EQ(limits_.Read().waiting, 0u);
  EXPECT_EQ(limits_.Read().in_flight, 0u);
}

TEST_F(S3OperationLimitsTest, RefusalsAndSilenceAreCongestionOtherFailuresAreNot) {
  const auto store = s3_.Store();
  const auto backoffs_after = [&](ScriptedAnswer answer) {
    s3_.transport.Push(std::move(answer));
    s3_.transport.Push(ObjectAnswer("x"));
    GetBytes(*store, "folder/k");
    return limits_.Read().backoffs;
  };
  EXPECT_EQ(backoffs_after(ErrorAnswer(503, "SlowDown")), 1u);
  EXPECT_EQ(backoffs_after(ErrorAnswer(500, "InternalError")), 1u);
  EXPECT_EQ(backoffs_after(FailWith(Error(ErrorCode::kConnection, "reset"))), 1u);
  EXPECT_EQ(backoffs_after(FailWith(Error(ErrorCode::kTimeout, "no first byte"))), 2u);
  ScriptedAnswer stalled = ObjectAnswer("x");
  stalled.body.clear();
  stalled.failure = Error(ErrorCode::kTimeout, "stall");
  EXPECT_EQ(backoffs_after(stalled), 2u);
}

TEST_F(S3OperationLimitsTest, AWaitForARetryHoldsNoPlace) {
  s3_.environment.backoff = {std::chrono::hours(1), std::chrono::hours(1), std::chrono::hours(1)};
  s3_.options.deadline = std::chrono::hours(10);
  s3_.transport.Push(ErrorAnswer(500, "InternalError"));
  s3_.transport.Push(ErrorAnswer(500, "InternalError"));
  s3_.transport.Push(ObjectAnswer("third"));
  const auto store = s3_.Store();
  const auto first = Start(*store);
  const auto second = Start(*store);
  const auto third = Start(*store);
  EXPECT_TRUE(third->done.Wait());
  first->stop.request_stop();
  second->stop.request_stop();
  EXPECT_FALSE(first->done.Wait());
  EXPECT_FALSE(second->done.Wait());
}

}  // namespace
}  // namespace bucketline
