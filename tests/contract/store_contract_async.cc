// Completions: exactly once, never inside the call, also when stopped or destroyed.
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/contract/store_contract.h"
#include <gmock/gmock.h>

namespace bucketline::testing {
namespace {

// Calls `begin(done)` and expects one completion, on another thread than this one.
template <typename T, typename Begin>
void ExpectCompletedElsewhereOnce(const StoreFixture& fixture, Begin begin) {
  Completion<T> completion;
  begin(completion.Done());
  ASSERT_TRUE(completion.WaitFor(fixture.deadline));
  EXPECT_NE(completion.thread(), std::this_thread::get_id()) << "done was called inside the call";
  EXPECT_EQ(completion.calls(), 1);
}

TEST_P(StoreContract, DoneComesFromAnotherThreadAlsoForErrors) {
  PutBytes(store(), "k", "x");
  for (const std::string key : {"k", "missing", ""}) {
    SCOPED_TRACE(key);
    ExpectCompletedElsewhereOnce<ObjectInfo>(fixture(), [&](auto done) {
      store().Get(Whole(key), std::make_shared<VectorSink>(), std::move(done));
    });
    ExpectCompletedElsewhereOnce<ObjectInfo>(fixture(),
                                             [&](auto done) { store().Head(key, std::move(done)); });
    ExpectCompletedElsewhereOnce<void>(fixture(), [&](auto done) { store().Delete(key, std::move(done)); });
  }
  for (const int max_keys : {1, 0}) {
    ListRequest request;
    request.max_keys = max_keys;
    ExpectCompletedElsewhereOnce<ListPage>(fixture(),
                                           [&](auto done) { store().List(request, std::move(done)); });
  }
}

TEST_P(StoreContract, DoneMayBeginAnotherCall) {
  PutBytes(store(), "k", "x");
  Completion<void> deleted;
  store().Head("k", [&, done = deleted.Done()](const Result<ObjectInfo>& head) {
    EXPECT_TRUE(head.ok());
    store().Delete("k", done);
  });
  ASSERT_EQ(Outcome(deleted.Wait(fixture().deadline)), "ok");
  EXPECT_EQ(Outcome(Head("k")), "NotFound");
}

TEST_P(StoreContract, AStopBeforeTheCallCancelsIt) {
  PutBytes(store(), "k", "x");
  std::stop_source stop;
  stop.request_stop();
  GetRequest get = Whole("k");
  get.stop = stop.get_token();
  EXPECT_EQ(Outcome(Get(get, std::make_shared<VectorSink>())), "Cancelled");
  ListRequest list;
  list.stop = stop.get_token();
  EXPECT_EQ(Outcome(List(list)), "Cancelled");
}

// Asks for the stop at the moment when the bytes are about to come.
class StoppingSink : public VectorSink {
 public:
  explicit StoppingSink(std::stop_source stop) : stop_(std::move(stop)) {}
  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo& object) override {
    stop_.request_stop();
    return VectorSink::Begin(size, object);
  }

 private:
  std::stop_source stop_;
};

TEST_P(StoreContract, AStopDuringTheBytesCancelsTheGet) {
  PutBytes(store(), "k", RampBytes(fixture().large_bytes));
  std::stop_source stop;
  GetRequest get = Whole("k");
  get.stop = stop.get_token();
  EXPECT_EQ(Outcome(Get(get, std::make_shared<StoppingSink>(stop))), "Cancelled");
}

TEST_P(StoreContract, ManyGetsAtOnceKeepTheirBytesApart) {
  constexpr int kGets = 64;
  const std::vector<uint8_t> data = RampBytes(200'000, 3);
  PutBytes(store(), "k", data);
  std::vector<Completion<ObjectInfo>> completions(kGets);
  std::vector<std::shared_ptr<VectorSink>> sinks;
  for (int i = 0; i < kGets; ++i) {
    sinks.push_back(std::make_shared<VectorSink>());
    store().Get(Range("k", static_cast<uint64_t>(i) * 1000, 100'000), sinks.back(), completions[i].Done());
  }
  for (int i = 0; i < kGets; ++i) {
    ASSERT_EQ(Outcome(completions[i].Wait(fixture().deadline)), "ok") << i;
    EXPECT_TRUE(std::equal(sinks[i]->bytes().begin(), sinks[i]->bytes().end(), data.begin() + i * 1000)) << i;
    EXPECT_EQ(sinks[i]->bytes().size(), 100'000u);
    EXPECT_EQ(completions[i].calls(), 1);
  }
}

TEST_P(StoreContract, CallsFromManyThreads) {
  PutBytes(store(), "shared", RampBytes(10'000));
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        const std::string key = "own/" + std::to_string(t);
        for (int i = 0; i < 10; ++i) {
          const Result<void> round = Catch([&] {
            PutBytes(store(), key, std::to_string(i));
            if (GetBytes(store(), key).view() != std::to_string(i)) ++failures;
            if (GetBytes(store(), "shared").size() != 10'000) ++failures;
            ListAll(store(), "own/");
          });
          if (!round.ok()) ADD_FAILURE() << round.error().what();
        }
      });
    }
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(ListAll(store(), "own/").size(), 8u);
}

TEST_P(StoreContract, DestroyingTheStoreCompletesEveryCall) {
  constexpr int kGets = 64;
  PutBytes(store(), "k", RampBytes(1'000'000));
  std::vector<Completion<ObjectInfo>> gets(kGets);
  Completion<ListPage> list;
  Completion<ObjectInfo> head;
  for (auto& get : gets) store().Get(Whole("k"), std::make_shared<VectorSink>(), get.Done());
  store().List({}, list.Done());
  store().Head("k", head.Done());
  DestroyStore();
  for (auto& get : gets) {
    ASSERT_EQ(get.calls(), 1) << "a call was left when the store was gone";
    EXPECT_THAT(Outcome(get.Wait(fixture().deadline)), ::testing::AnyOf("ok", "Cancelled"));
  }
  EXPECT_EQ(list.calls(), 1);
  EXPECT_EQ(head.calls(), 1);
}

TEST_P(StoreContract, SinksAndCompletionsAreLetGo) {
  PutBytes(store(), "k", "x");
  auto sink = std::make_shared<VectorSink>();
  const std::weak_ptr<VectorSink> watched = sink;
  ASSERT_EQ(Outcome(Get(Whole("k"), std::move(sink))), "ok");
  DestroyStore();
  // The thread that called `done` may be on its way out of it.
  const auto deadline = std::chrono::steady_clock::now() + fixture().deadline;
  while (!watched.expired() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(watched.expired()) << "the store still holds the sink";
}

}  // namespace
}  // namespace bucketline::testing
