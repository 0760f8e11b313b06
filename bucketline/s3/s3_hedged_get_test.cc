#include "bucketline/s3/s3_hedged_get.h"

#include <condition_variable>
#include <future>

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

ScriptedAnswer Hang(ScriptedAnswer answer = {}) {
  answer.hang = true;
  return answer;
}

// Gives a second sink, or says that there is no room, and lets a test wait until it was asked.
class TwinSink : public VectorSink {
 public:
  explicit TwinSink(bool room) : room_(room) {}

  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo& object) override {
    const auto room = VectorSink::Begin(size, object);
    std::lock_guard lock(mutex_);
    begun_ = true;
    return room;
  }

  std::shared_ptr<GetSink> Second() override {
    std::lock_guard lock(mutex_);
    ++asked_;
    asked_late_ |= begun_;
    changed_.notify_all();
    if (!room_) return nullptr;
    auto twin = std::make_shared<VectorSink>();
    twin_ = twin;
    return twin;
  }
  void TakeFrom(GetSink& second) override { taken_ = static_cast<VectorSink&>(second).bytes(); }

  void WaitUntilAsked() {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(120), [&] { return asked_ > 0; }));
  }
  int asked() const {
    std::lock_guard lock(mutex_);
    return asked_;
  }
  // Even though the answer had begun.
  bool asked_late() const {
    std::lock_guard lock(mutex_);
    return asked_late_;
  }
  std::string taken() const { return {taken_.begin(), taken_.end()}; }
  bool TwinIsGone() const {
    std::lock_guard lock(mutex_);
    return twin_.expired();
  }

 private:
  const bool room_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int asked_ = 0;
  bool begun_ = false;
  bool asked_late_ = false;
  std::weak_ptr<GetSink> twin_;
  std::vector<uint8_t> taken_;
};

class HedgedGetTest : public ::testing::Test {
 protected:
  HedgedGetTest() {
    s3_.environment.hedges = &rules_;
    s3_.environment.limits = &limits_;
    s3_.counters.requests.Add(1000);  // a share of 30
    for (int i = 0; i < 100; ++i) rules_.Record(5, std::chrono::milliseconds(1));
    store_ = s3_.Store();
  }

  struct Read {
    std::shared_ptr<TwinSink> sink;
    std::stop_source stop;
    Completion<ObjectInfo> done;
  };
  Read Start(bool room, std::string key = "folder/k") {
    Read read{.sink = std::make_shared<TwinSink>(room), .stop = {}, .done = {}};
    GetRequest request = testing::Whole(std::move(key));
    request.pin = {.etag = "\"e\"", .size = 5};
    request.stop = read.stop.get_token();
    store_->Get(std::move(request), read.sink, read.done.Done());
    return read;
  }
  void UseUpTheShare() {
    while (rules_.TryTake(std::chrono::milliseconds(1), std::chrono::seconds(1))) {
    }
  }
  uint64_t sent() { return s3_.transport.requests().size(); }

  ScriptedS3 s3_;
  HedgeRules rules_{&s3_.counters};
  ConcurrencyLimits limits_{{}, &s3_.clock};
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(HedgedGetTest, TheSecondAnswerIsTakenWhenTheFirstNeverComes) {
  s3_.transport.Push(Hang());
  s3_.transport.Push(ObjectAnswer("hello"));
  Read read = Start(true);
  const auto object = read.done.Wait();
  ASSERT_TRUE(object) << object.error().what();
  EXPECT_EQ(object->etag, "\"e\"");
  EXPECT_EQ(read.sink->taken(), "hello");
  EXPECT_TRUE(read.sink->TwinIsGone());
  EXPECT_EQ(s3_.counters.hedges.value(), 1u);
  EXPECT_EQ(s3_.counters.hedges_won.value(), 1u);
  EXPECT_EQ(s3_.counters.retries.value(), 0u);
  EXPECT_EQ(limits_.Read().in_flight, 0u);
}

TEST_F(HedgedGetTest, APromptAnswerIsTheOnlyOne) {
  for (int i = 0; i < 1000; ++i) rules_.Record(5, std::chrono::minutes(10));  // prompt is what takes less
  s3_.transport.Push(ObjectAnswer("hello"));
  Read read = Start(true);
  ASSERT_TRUE(read.done.Wait());
  EXPECT_EQ(read.sink->asked(), 0);
  EXPECT_EQ(sent(), 1u);
}

TEST_F(HedgedGetTest, WithoutRoomTheFirstAnswerIsWaitedFor) {
  s3_.transport.Push(Hang());
  Read read = Start(false);
  read.sink->WaitUntilAsked();
  read.stop.request_stop();
  EXPECT_EQ(read.done.Wait().error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(sent(), 1u);
  EXPECT_EQ(s3_.counters.hedges.value(), 0u);
}

TEST_F(HedgedGetTest, ASecondReadThatFailsChangesNothing) {
  s3_.transport.Push(Hang());
  s3_.transport.Push(ErrorAnswer(500, "InternalError"));
  Read read = Start(true);
  read.sink->WaitUntilAsked();
  while (limits_.Read().in_flight != 1 || sent() != 2) std::this_thread::yield();
  EXPECT_EQ(read.done.calls(), 0);
  read.stop.request_stop();
  EXPECT_EQ(read.done.Wait().error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(sent(), 2u);
  EXPECT_EQ(s3_.counters.hedges.value(), 1u);
  EXPECT_EQ(s3_.counters.hedges_won.value(), 0u);
}

TEST_F(HedgedGetTest, AnAnswerThatHasBegunIsNotAskedForAgain) {
  s3_.transport.Push(Hang(ObjectAnswer("hello")));
  s3_.transport.Push(Hang());
  Read begun = Start(true);
  Read later = Start(false);  // its timer is the later one
  later.sink->WaitUntilAsked();
  EXPECT_FALSE(begun.sink->asked_late());
}

TEST_F(HedgedGetTest, NothingIsAskedTwiceWhileTheStoreIsCongested) {
  ConcurrencyLimits::Permit permit;
  ASSERT_TRUE(limits_.TryEnter(ConcurrencyScope("store.test:9000", "bucket", "busy/"), &permit));
  permit.End(Congestion::kSome);
  for (int i = 0; i < 2; ++i) s3_.transport.Push(Hang());
  Read busy = Start(true, "busy/k");
  Read calm = Start(false, "calm/k");
  calm.sink->WaitUntilAsked();
  EXPECT_EQ(busy.sink->asked(), 0);
}

TEST_F(HedgedGetTest, TheShareIsNeverExceededAndAskedForAgainOnceThereIsMore) {
  UseUpTheShare();
  s3_.transport.Push(Hang());
  s3_.transport.Push(ObjectAnswer("hello"));
  Read read = Start(true);
  read.sink->WaitUntilAsked();
  while (!read.sink->TwinIsGone()) std::this_thread::yield();
  EXPECT_EQ(sent(), 1u);
  s3_.counters.requests.Add(1000);
  ASSERT_TRUE(read.done.Wait());
  EXPECT_EQ(read.sink->taken(), "hello");
}

// It holds memory of budgets that the caller may free once it knows that all is over.
TEST_F(HedgedGetTest, TheSecondSinkIsGoneBeforeTheReadIsDone) {
  for (int i = 0; i < 2; ++i) s3_.transport.Push(Hang());
  const auto sink = std::make_shared<TwinSink>(true);
  std::stop_source stop;
  GetRequest request = testing::Whole("folder/k");
  request.pin = {.etag = "\"e\"", .size = 5};
  request.stop = stop.get_token();
  std::promise<bool> gone;
  store_->Get(std::move(request), sink,
              [&gone, sink](const Result<ObjectInfo>&) { gone.set_value(sink->TwinIsGone()); });
  while (sent() != 2) std::this_thread::yield();
  stop.request_stop();  // the second read ends last
  std::future<bool> was_gone = gone.get_future();
  ASSERT_EQ(was_gone.wait_for(std::chrono::seconds(120)), std::future_status::ready);
  EXPECT_TRUE(was_gone.get());
}

TEST_F(HedgedGetTest, TheEndOfTheStoreEndsBothReads) {
  for (int i = 0; i < 2; ++i) s3_.transport.Push(Hang());
  Read read = Start(true);
  read.sink->WaitUntilAsked();
  while (sent() != 2) std::this_thread::yield();
  store_.reset();
  EXPECT_EQ(read.done.Wait().error().code(), ErrorCode::kCancelled);
  EXPECT_TRUE(read.sink->TwinIsGone());
}

TEST_F(HedgedGetTest, ReadsOfUnknownSizeHaveNoSecond) {
  s3_.transport.Push(Hang());
  s3_.transport.Push(Hang());
  const auto sink = std::make_shared<TwinSink>(true);
  Completion<ObjectInfo> done;
  store_->Get(testing::Whole("folder/k"), sink, done.Done());
  Read later = Start(false);
  later.sink->WaitUntilAsked();
  EXPECT_EQ(sink->asked(), 0);
}

}  // namespace
}  // namespace bucketline
