// What HttpTransport promises about ends: cancelling, closing, calling from callbacks, and who lives how
// long.
#include <atomic>
#include <future>
#include <vector>

#include <gtest/gtest.h>

#include "bucketline/http/transport_bench_test_util.h"

namespace bucketline {
namespace {

template <typename BenchType>
class TransportLifetime : public TransportTest<BenchType> {};
TYPED_TEST_SUITE(TransportLifetime, Benches);

TYPED_TEST(TransportLifetime, CancelEndsAnExchangeWithoutAnAnswer) {
  this->bench_.Answer(this->Hanging({}));
  auto exchange = Exchange::Make();
  const auto id = exchange->SendOn(this->transport(), this->Request());
  this->transport().Cancel(id);
  const auto result = exchange->Wait();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kCancelled);
}

TYPED_TEST(TransportLifetime, CancelEndsAnExchangeInItsBody) {
  this->bench_.Answer(this->HangingInBody());
  auto exchange = Exchange::Make();
  const auto id = exchange->SendOn(this->transport(), this->Request());
  exchange->WaitForBody();
  this->transport().Cancel(id);
  this->transport().Cancel(id);
  EXPECT_EQ(exchange->Wait().error().code(), ErrorCode::kCancelled);
}

TYPED_TEST(TransportLifetime, CancelFromInsideTheSink) {
  this->bench_.Answer(this->HangingInBody());
  auto exchange = Exchange::Make();
  std::promise<HttpTransport::CallId> id;
  exchange->on_head = [&, known = id.get_future().share()](const HttpResponseHead&) {
    this->transport().Cancel(known.get());
    return Result<void>();
  };
  id.set_value(exchange->SendOn(this->transport(), this->Request()));
  EXPECT_EQ(exchange->Wait().error().code(), ErrorCode::kCancelled);
}

TYPED_TEST(TransportLifetime, CancelAfterTheEndOrOfNobodyIsHarmless) {
  this->transport().Cancel(12345);
  this->bench_.Answer(AnswerWith(200, "a"));
  this->bench_.Answer(AnswerWith(200, "b"));
  auto first = Exchange::Make();
  const auto id = first->SendOn(this->transport(), this->Request());
  ASSERT_TRUE(first->Wait().ok());
  this->transport().Cancel(id);
  const auto second = this->Start(this->Request());
  EXPECT_TRUE(second->Wait().ok());
  EXPECT_EQ(first->dones(), 1);
}

TYPED_TEST(TransportLifetime, DoneMaySendTheNextRequest) {
  constexpr int kChain = 20;
  std::vector<std::shared_ptr<Exchange>> chain;
  for (int i = 0; i < kChain; ++i) {
    this->bench_.Answer(AnswerWith(200, std::to_string(i)));
    chain.push_back(Exchange::Make());
  }
  for (int i = 0; i + 1 < kChain; ++i) {
    chain[i]->on_done = [this, next = chain[i + 1]](const Result<HttpTiming>&) {
      next->SendOn(this->transport(), this->Request());
    };
  }
  chain[0]->SendOn(this->transport(), this->Request());
  for (int i = 0; i < kChain; ++i) {
    ASSERT_TRUE(chain[i]->Wait().ok());
    EXPECT_EQ(chain[i]->body(), std::to_string(i));
  }
}

TYPED_TEST(TransportLifetime, ClosingCancelsWhatIsOpen) {
  std::vector<std::shared_ptr<Exchange>> open;
  for (int i = 0; i < 8; ++i) {
    this->bench_.Answer(i % 2 == 0 ? this->Hanging({}) : this->HangingInBody());
    open.push_back(this->Start(this->Request()));
  }
  this->bench_.DestroyTransport();
  for (const auto& exchange : open) {
    EXPECT_EQ(exchange->dones(), 1);  // not one of them later than the destructor
    EXPECT_EQ(exchange->Wait().error().code(), ErrorCode::kCancelled);
  }
}

TYPED_TEST(TransportLifetime, WhatIsSentWhileClosingIsCancelledToo) {
  this->bench_.Answer(this->Hanging({}));
  auto last = Exchange::Make();
  auto first = Exchange::Make();
  HttpTransport& transport = this->transport();
  first->on_done = [&](const Result<HttpTiming>&) { last->SendOn(transport, this->Request()); };
  first->SendOn(transport, this->Request());
  this->bench_.DestroyTransport();
  EXPECT_EQ(last->dones(), 1);
  EXPECT_EQ(last->Wait().error().code(), ErrorCode::kCancelled);
}

TYPED_TEST(TransportLifetime, SinkAndBodyLiveUntilDoneHasReturned) {
  this->bench_.Answer(AnswerWith(200, "ok"));
  static const uint8_t kData[] = {1, 2, 3};
  std::promise<void> body_released;
  std::atomic<bool> released_early = true;
  HttpRequest request = this->Request("PUT");
  request.body = Bytes::WithRelease(kData, sizeof kData, [&] { body_released.set_value(); });
  auto freed = body_released.get_future();
  auto exchange = Exchange::Make();
  exchange->on_done = [&](const Result<HttpTiming>&) {
    released_early = freed.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  };
  std::weak_ptr<Exchange> weak = exchange;
  exchange->SendOn(this->transport(), std::move(request));
  ASSERT_TRUE(exchange->Wait().ok());
  EXPECT_FALSE(released_early);
  exchange.reset();
  this->bench_.DestroyTransport();  // the scripted one remembers its requests until then
  EXPECT_TRUE(weak.expired());
  EXPECT_EQ(freed.wait_for(std::chrono::seconds(0)), std::future_status::ready);
}

TYPED_TEST(TransportLifetime, RandomCancelsGiveEveryCallOneEnd) {
  constexpr int kCalls = 300;
  std::vector<std::shared_ptr<Exchange>> exchanges;
  std::vector<HttpTransport::CallId> ids;
  for (int i = 0; i < kCalls; ++i) this->bench_.Answer(AnswerWith(200, std::string(50'000, 'x')));
  for (int i = 0; i < kCalls; ++i) {
    exchanges.push_back(Exchange::Make());
    ids.push_back(exchanges.back()->SendOn(this->transport(), this->Request()));
    if (i % 3 == 0) this->transport().Cancel(ids[static_cast<size_t>(i * 7919 % (i + 1))]);
    if (i % 5 == 0) exchanges[static_cast<size_t>(i / 2)]->WaitForHead();
  }
  for (const auto& exchange : exchanges) {
    const auto result = exchange->Wait();
    if (result.ok()) {
      EXPECT_EQ(exchange->body().size(), 50'000u);
    } else {
      // A cancelled call may have left its answer to nobody, so the last calls may find none.
      EXPECT_NE(result.error().code(), ErrorCode::kCorruptData) << result.error().what();
    }
  }
  this->bench_.DestroyTransport();
  for (const auto& exchange : exchanges) EXPECT_EQ(exchange->dones(), 1);
}

}  // namespace
}  // namespace bucketline
