// What HttpTransport promises about answers and sinks, on every implementation.
#include <atomic>

#include <gtest/gtest.h>

#include "bucketline/http/transport_bench_test_util.h"

namespace bucketline {
namespace {

template <typename BenchType>
class TransportContract : public TransportTest<BenchType> {};
TYPED_TEST_SUITE(TransportContract, Benches);

TYPED_TEST(TransportContract, HeadThenBodyThenDone) {
  const std::string body(100'000, 'x');
  this->bench_.Answer(AnswerWith(206, body, {{"ETag", "\"abc\""}}));
  const auto exchange = this->Start(this->Request());
  const auto result = exchange->Wait();
  ASSERT_TRUE(result.ok()) << result.error().what();
  EXPECT_EQ(result->body_bytes, body.size());
  EXPECT_EQ(exchange->head().status, 206);
  EXPECT_EQ(exchange->head().headers.Find("etag"), "\"abc\"");
  EXPECT_EQ(exchange->head().content_length, body.size());
  EXPECT_EQ(exchange->body(), body);
}

TYPED_TEST(TransportContract, ACompleteExchangeSucceedsWhateverItsStatus) {
  this->bench_.Answer(AnswerWith(503, "<Error/>"));
  const auto exchange = this->Start(this->Request());
  ASSERT_TRUE(exchange->Wait().ok());
  EXPECT_EQ(exchange->head().status, 503);
  EXPECT_EQ(exchange->body(), "<Error/>");
}

TYPED_TEST(TransportContract, HeadHasTheObjectsLengthAndNoBody) {
  this->bench_.Answer(AnswerWith(200, "", {{"Content-Length", "12345"}}));
  const auto exchange = this->Start(this->Request("HEAD"));
  const auto result = exchange->Wait();
  ASSERT_TRUE(result.ok()) << result.error().what();
  EXPECT_EQ(exchange->head().content_length, 12345u);
  EXPECT_EQ(exchange->body(), "");
  EXPECT_EQ(result->body_bytes, 0u);
}

TYPED_TEST(TransportContract, AShortBodyIsCorrupt) {
  this->bench_.Answer(AnswerWith(200, "1234567", {{"Content-Length", "8"}}));
  const auto exchange = this->Start(this->Request());
  const auto result = exchange->Wait();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kCorruptData);
  EXPECT_EQ(exchange->body(), "1234567");
}

TYPED_TEST(TransportContract, ASinkThatRefusesTheHeadGetsNoBody) {
  this->bench_.Answer(AnswerWith(200, "body"));
  auto exchange = Exchange::Make();
  exchange->on_head = [](const HttpResponseHead&) {
    return Result<void>(Error(ErrorCode::kObjectChanged, "another etag"));
  };
  exchange->SendOn(this->transport(), this->Request());
  const auto result = exchange->Wait();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kObjectChanged);
  EXPECT_EQ(result.error().message(), "another etag");
  EXPECT_EQ(exchange->body(), "");
}

TYPED_TEST(TransportContract, ASinkThatRefusesBytesEndsTheExchange) {
  this->bench_.Answer(AnswerWith(200, std::string(1 << 20, 'x')));
  auto exchange = Exchange::Make();
  std::atomic<int> pieces = 0;
  exchange->on_body = [&](std::span<const uint8_t>) {
    if (++pieces < 2) return Result<void>();
    return Result<void>(Error(ErrorCode::kResourceExhausted, "full"));
  };
  exchange->SendOn(this->transport(), this->Request());
  const auto result = exchange->Wait();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(pieces, 2);
}

TYPED_TEST(TransportContract, WhatASinkThrowsIsItsRefusal) {
  this->bench_.Answer(AnswerWith(200, "body"));
  this->bench_.Answer(AnswerWith(200, "body"));
  auto throws_error = Exchange::Make();
  throws_error->on_head = [](const HttpResponseHead&) -> Result<void> {
    throw Error(ErrorCode::kIo, "disk full");
  };
  throws_error->SendOn(this->transport(), this->Request());
  EXPECT_EQ(throws_error->Wait().error().code(), ErrorCode::kIo);

  auto throws_other = Exchange::Make();
  throws_other->on_body = [](std::span<const uint8_t>) -> Result<void> { throw std::out_of_range("oops"); };
  throws_other->SendOn(this->transport(), this->Request());
  EXPECT_EQ(throws_other->Wait().error().code(), ErrorCode::kInternal);
}

TYPED_TEST(TransportContract, AMalformedRequestIsRefused) {
  HttpRequest request = this->Request();
  request.headers.Add("x-amz-date", "today\r\nHost: elsewhere");
  const auto exchange = this->Start(request);
  const auto result = exchange->Wait();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(exchange->heads(), 0);
}

}  // namespace
}  // namespace bucketline
