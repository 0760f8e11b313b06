#include "bucketline/s3/s3_operation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/s3_testing.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::Completion;
using testing::ErrorAnswer;
using testing::ErrorXml;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ObjectAnswer;
using testing::ScriptedS3;
using testing::VectorSink;
using testing::Whole;

Error HeadError(ScriptedS3& s3) {
  const auto store = s3.Store();
  const auto result = Catch([&] { return HeadObject(*store, "k"); });
  return result ? Error(ErrorCode::kInternal, "it succeeded") : result.error();
}

S3Options Attempts(int n) {
  S3Options options;
  options.max_attempts = n;
  return options;
}

TEST(S3OperationTest, SuccessNeedsOneAttempt) {
  ScriptedS3 s3({}, 100);
  ASSERT_TRUE(s3.budget.TryTake(10));
  s3.transport.Push(ObjectAnswer("body"));
  EXPECT_EQ(GetBytes(*s3.Store(), "k").view(), "body");
  EXPECT_EQ(s3.transport.requests().size(), 1u);
  EXPECT_EQ(s3.counters.requests.value(), 1u);
  EXPECT_EQ(s3.counters.retries.value(), 0u);
  EXPECT_EQ(s3.counters.bytes_read.value(), 4u);
  EXPECT_EQ(s3.counters.first_byte_us.count(), 1u);
  EXPECT_EQ(s3.budget.tokens(), 91u);
}

TEST(S3OperationTest, TransientFailuresAreRetriedOnFreshConnections) {
  ScriptedS3 s3;
  s3.transport.Push(ErrorAnswer(500, "InternalError"));
  s3.transport.Push(FailWith(Error(ErrorCode::kConnection, "reset")));
  s3.transport.Push(FailWith(Error(ErrorCode::kTimeout, "first byte")));
  s3.transport.Push(ObjectAnswer("body"));
  EXPECT_EQ(GetBytes(*s3.Store(), "k").view(), "body");
  const auto requests = s3.transport.requests();
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_FALSE(requests[0].fresh_connection);
  EXPECT_TRUE(requests[1].fresh_connection);
  EXPECT_EQ(s3.counters.requests.value(), 4u);
  EXPECT_EQ(s3.counters.retries.value(), 3u);
  EXPECT_EQ(s3.budget.tokens(), 500u - 14 * 2);  // the last retry's cost comes back
}

TEST(S3OperationTest, ThrottlingIsCountedAndCostsLess) {
  ScriptedS3 s3;
  s3.transport.Push(ErrorAnswer(503, "SlowDown"));
  s3.transport.Push(ErrorAnswer(503, "SlowDown"));
  s3.transport.Push(ObjectAnswer(""));
  GetBytes(*s3.Store(), "k");
  EXPECT_EQ(s3.counters.throttled.value(), 2u);
  EXPECT_EQ(s3.budget.tokens(), 495u);
}

TEST(S3OperationTest, FinalFailuresAreNotRetried) {
  for (const char* code : {"AccessDenied", "NoSuchKey", "InvalidRequest", "ExpiredToken"}) {
    ScriptedS3 s3;
    s3.transport.Push(ErrorAnswer(400, code));
    EXPECT_THROW(GetBytes(*s3.Store(), "k"), Error);
    EXPECT_EQ(s3.transport.requests().size(), 1u) << code;
  }
}

TEST(S3OperationTest, GivesUpAfterTheAttemptsWithTheLastError) {
  ScriptedS3 s3(Attempts(3));
  s3.transport.SetHandler(
      [](const HttpRequest&) { return AnswerWith(503, "", {{"x-amz-request-id", "R7"}}); });
  const Error error = HeadError(s3);
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(s3.transport.requests().size(), 3u);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("s3://bucket/k"), HasSubstr("after 3 attempts"),
                                  HasSubstr("HTTP 503"), HasSubstr("R7")));
}

TEST(S3OperationTest, ASpentBudgetEndsTheRequestAndSaysSo) {
  ScriptedS3 s3({}, 20);
  s3.transport.SetHandler(
      [](const HttpRequest&) { return FailWith(Error(ErrorCode::kConnection, "refused")); });
  const Error error = HeadError(s3);
  EXPECT_EQ(s3.transport.requests().size(), 2u);
  EXPECT_EQ(error.code(), ErrorCode::kConnection);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("after 2 attempts"), HasSubstr("retry budget is spent"),
                                     HasSubstr("http://store.test:9000"), HasSubstr("refused")));
}

TEST(S3OperationTest, TheDeadlineCoversAllAttempts) {
  S3Options options;
  options.deadline = std::chrono::seconds(60);
  options.attempt.total = std::chrono::seconds(50);
  ScriptedS3 s3(options);
  s3.transport.SetHandler([&](const HttpRequest&) {
    s3.clock.Advance(std::chrono::seconds(25));
    return FailWith(Error(ErrorCode::kTimeout, "slow"));
  });
  EXPECT_THAT(HeadError(s3).message(), AllOf(HasSubstr("after 3 attempts"), HasSubstr("deadline of 60 s")));
  const auto requests = s3.transport.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].deadlines.total, Duration(std::chrono::seconds(50)));
  EXPECT_EQ(requests[1].deadlines.total, Duration(std::chrono::seconds(35)));
  EXPECT_EQ(requests[2].deadlines.total, Duration(std::chrono::seconds(10)));
}

TEST(S3OperationTest, AnAttemptWithoutALimitGetsTheRequests) {
  S3Options options;
  options.attempt.total = Duration::zero();
  ScriptedS3 s3(options);
  s3.transport.Push(ObjectAnswer(""));
  HeadObject(*s3.Store(), "k");
  EXPECT_EQ(s3.transport.requests()[0].deadlines.total, options.deadline);
}

TEST(S3OperationTest, EveryAttemptIsSignedAfresh) {
  ScriptedS3 s3;
  int calls = 0;
  s3.transport.SetHandler([&](const HttpRequest&) {
    s3.clock.Advance(std::chrono::seconds(1));
    return ++calls == 1 ? ErrorAnswer(500, "InternalError") : ObjectAnswer("");
  });
  HeadObject(*s3.Store(), "k");
  const auto requests = s3.transport.requests();
  EXPECT_EQ(requests[0].headers.Find("x-amz-date"), "20130524T000000Z");
  EXPECT_EQ(requests[1].headers.Find("x-amz-date"), "20130524T000001Z");
  EXPECT_NE(requests[0].headers.Find("Authorization"), requests[1].headers.Find("Authorization"));
}

TEST(S3OperationTest, ASkewedClockIsCorrectedForThisAndLaterRequests) {
  ScriptedS3 s3({}, 0);  // needs no tokens
  s3.transport.Push(ErrorAnswer(403, "RequestTimeTooSkewed", {{"Date", "Fri, 24 May 2013 01:00:00 GMT"}}));
  s3.transport.Push(ObjectAnswer(""));
  s3.transport.Push(ObjectAnswer(""));
  const auto store = s3.Store();
  GetBytes(*store, "k");
  GetBytes(*store, "k");
  const auto requests = s3.transport.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[1].headers.Find("x-amz-date"), "20130524T010000Z");
  EXPECT_EQ(requests[2].headers.Find("x-amz-date"), "20130524T010000Z");
  EXPECT_THAT(s3.Log(), HasSubstr("clock differs"));
}

TEST(S3OperationTest, AClockThatStaysSkewedIsAnError) {
  ScriptedS3 s3;
  s3.transport.SetHandler([](const HttpRequest&) {
    return ErrorAnswer(403, "RequestTimeTooSkewed", {{"Date", "Fri, 24 May 2013 01:00:00 GMT"}});
  });
  const auto store = s3.Store();
  const auto result = Catch([&] { GetBytes(*store, "k"); });
  ASSERT_FALSE(result);
  EXPECT_EQ(s3.transport.requests().size(), 2u);
  EXPECT_THAT(result.error().message(), HasSubstr("3600 s behind"));
}

TEST(S3OperationTest, ManyFailuresAreAnnouncedOnceInAWhile) {
  ScriptedS3 s3;
  int calls = 0;
  s3.transport.SetHandler(
      [&](const HttpRequest&) { return ++calls % 9 != 0 ? AnswerWith(500, "") : ObjectAnswer(""); });
  const auto store = s3.Store();
  HeadObject(*store, "k");
  HeadObject(*store, "k");
  EXPECT_EQ(s3.log_lines.size(), 1u);
  EXPECT_THAT(s3.Log(), AllOf(HasSubstr("failed 4 times"), HasSubstr("s3://bucket/k")));
}

TEST(S3OperationTest, ErrorDocumentsAreReadToALimit) {
  ScriptedS3 s3;
  ScriptedAnswer answer = AnswerWith(404, ErrorXml("NoSuchKey") + std::string(10 << 20, ' '));
  s3.transport.Push(answer);
  const auto store = s3.Store();
  const auto result = Catch([&] { GetBytes(*store, "k"); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kNotFound);
}

TEST(S3OperationTest, ARefusalThatBreaksOffCountsByItsStatus) {
  ScriptedS3 s3(Attempts(1));
  ScriptedAnswer answer = AnswerWith(403, "<Error><Code>AccessDenied</Code>");
  answer.failure = Error(ErrorCode::kConnection, "reset");
  s3.transport.Push(answer);
  const auto store = s3.Store();
  const auto result = Catch([&] { GetBytes(*store, "k"); });
  EXPECT_EQ(result.error().code(), ErrorCode::kPermissionDenied);
}

TEST(S3OperationTest, AnonymousRequestsAreUnsigned) {
  S3Options options;
  options.anonymous = true;
  options.requester_pays = true;
  ScriptedS3 s3(options);
  s3.transport.Push(ObjectAnswer(""));
  GetBytes(*s3.Store(), "a b");
  const HttpRequest request = s3.transport.requests()[0];
  EXPECT_EQ(request.url, "http://store.test:9000/bucket/a%20b");
  EXPECT_FALSE(request.headers.Find("Authorization"));
  EXPECT_EQ(request.headers.Find("x-amz-request-payer"), "requester");
}

TEST(S3OperationTest, AStopEndsWhatHangs) {
  ScriptedS3 s3;
  ScriptedAnswer hang = AnswerWith(200, "", {{"Content-Length", "5"}});
  hang.hang = true;
  s3.transport.Push(hang);
  const auto store = s3.Store();
  std::stop_source stop;
  Completion<ObjectInfo> get;
  GetRequest request = Whole("k");
  request.stop = stop.get_token();
  store->Get(request, std::make_shared<VectorSink>(), get.Done());
  stop.request_stop();
  EXPECT_EQ(get.Wait().error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(get.calls(), 1);
}

TEST(S3OperationTest, AStopEndsAWait) {
  ScriptedS3 s3;
  s3.environment.backoff = {std::chrono::hours(1), std::chrono::hours(1), std::chrono::hours(1)};
  s3.options.deadline = std::chrono::hours(10);
  s3.transport.Push(AnswerWith(500, ""));
  const auto store = s3.Store();
  std::stop_source stop;
  Completion<ObjectInfo> get;
  GetRequest request = Whole("k");
  request.stop = stop.get_token();
  store->Get(request, std::make_shared<VectorSink>(), get.Done());
  stop.request_stop();  // while it is sent, judged or waits: each must end it
  EXPECT_EQ(get.Wait().error().code(), ErrorCode::kCancelled);
}

TEST(S3OperationTest, AStopBeforeTheCallSendsNothing) {
  ScriptedS3 s3;
  const auto store = s3.Store();
  std::stop_source stop;
  stop.request_stop();
  Completion<ObjectInfo> get;
  GetRequest request = Whole("k");
  request.stop = stop.get_token();
  store->Get(request, std::make_shared<VectorSink>(), get.Done());
  EXPECT_EQ(get.Wait().error().code(), ErrorCode::kCancelled);
  EXPECT_NE(get.thread(), std::this_thread::get_id());
  EXPECT_TRUE(s3.transport.requests().empty());
}

TEST(S3OperationTest, StopsAtRandomMomentsCompleteEveryCallOnce) {
  ScriptedS3 s3({}, 1'000'000);
  std::atomic<int> calls = 0;
  s3.transport.SetHandler(
      [&](const HttpRequest&) { return ++calls % 3 == 0 ? ObjectAnswer("x") : AnswerWith(500, ""); });
  const auto store = s3.Store();
  for (int round = 0; round < 200; ++round) {
    std::stop_source stop;
    Completion<ObjectInfo> get;
    GetRequest request = Whole("k");
    request.stop = stop.get_token();
    store->Get(request, std::make_shared<VectorSink>(), get.Done());
    for (int spin = 0; spin < (round % 20) * 500; ++spin) static_cast<void>(stop.stop_requested());
    stop.request_stop();
    ASSERT_TRUE(get.WaitFor());
    ASSERT_EQ(get.calls(), 1);
  }
}

TEST(S3OperationTest, DestroyingTheStoreEndsHangsAndWaits) {
  ScriptedS3 s3;
  s3.environment.backoff = {std::chrono::hours(1), std::chrono::hours(1), std::chrono::hours(1)};
  s3.options.deadline = std::chrono::hours(10);
  ScriptedAnswer hang;
  hang.hang = true;
  s3.transport.Push(hang);
  s3.transport.Push(AnswerWith(500, ""));
  auto store = s3.Store();
  Completion<ObjectInfo> hanging, waiting;
  store->Head("k", hanging.Done());
  store->Head("k", waiting.Done());
  store.reset();
  EXPECT_EQ(hanging.calls(), 1);
  EXPECT_EQ(waiting.calls(), 1);
  EXPECT_EQ(hanging.Wait().error().code(), ErrorCode::kCancelled);
}

// Everything that may leave the process as text, under every kind of failure.
TEST(S3OperationTest, NoSecretIsInAnyErrorOrLog) {
  std::string everything;
  for (const int status : {200, 301, 400, 403, 404, 412, 416, 500, 503}) {
    for (const char* code : {"SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken",
                             "RequestTimeTooSkewed", "SlowDown", ""}) {
      ScriptedS3 s3(Attempts(5));
      s3.transport.SetHandler([&](const HttpRequest& request) {
        // What S3 echoes of a request in its error documents, and more.
        std::string echo = "<Headers>";
        for (const auto& [name, value] : request.headers.items()) echo += name + ":" + value + "\n";
        return *code ? AnswerWith(status, ErrorXml(code, echo + "</Headers>"),
                                  {{"Date", "Fri, 24 May 2013 01:00:00 GMT"}})
                     : AnswerWith(status, "<html>" + echo);
      });
      const auto store = s3.Store();
      const auto get = Catch([&] { GetBytes(*store, "k"); });
      const auto list = Catch([&] { ListOnePage(*store, {}); });
      if (!get) everything += get.error().what();
      if (!list) everything += list.error().what();
      everything += s3.Log();
    }
  }
  EXPECT_FALSE(everything.empty());
  for (const std::string_view secret : {testing::kTestSecret, testing::kTestToken}) {
    EXPECT_THAT(everything, Not(HasSubstr(std::string(secret))));
  }
  EXPECT_THAT(everything, Not(HasSubstr("Signature=")));
}

}  // namespace
}  // namespace bucketline
