#include "bucketline/store/latency_store.h"

#include <gtest/gtest.h>

#include "bucketline/store/blocking.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using namespace std::chrono_literals;

// Long enough to fail the test if it were waited for.
constexpr Duration kForever = 1h;

std::shared_ptr<ObjectStore> Inner() {
  std::shared_ptr<ObjectStore> inner = MakeMemoryStore("m");
  PutBytes(*inner, "k", "0123456789");
  return inner;
}

TEST(LatencyStore, EveryCallIsLate) {
  LatencyStore store(Inner(), FixedLatency(20ms));
  const std::function<void()> calls[] = {
      [&] { GetBytes(store, "k"); }, [&] { HeadObject(store, "k"); }, [&] { ListAll(store, ""); },
      [&] { EXPECT_THROW(HeadObject(store, "missing"), Error); }, [&] { DeleteObject(store, "k"); }};
  for (const auto& call : calls) {
    const SteadyTime begin = Clock::Real().Now();
    call();
    EXPECT_GE(Clock::Real().Now() - begin, 20ms);
  }
}

TEST(LatencyStore, CallsWaitTogether) {
  LatencyStore store(Inner(), FixedLatency(500ms));
  std::vector<testing::Completion<ObjectInfo>> heads(100);
  const SteadyTime begin = Clock::Real().Now();
  for (auto& head : heads) store.Head("k", head.Done());
  for (auto& head : heads) EXPECT_TRUE(head.Wait().ok());
  EXPECT_LT(Clock::Real().Now() - begin, 100 * 500ms) << "one after the other";
}

TEST(LatencyStore, AStopEndsTheWaiting) {
  LatencyStore store(Inner(), FixedLatency(kForever));
  std::stop_source stop;
  GetRequest request = testing::Whole("k");
  request.stop = stop.get_token();
  testing::Completion<ObjectInfo> got;
  store.Get(request, std::make_shared<testing::VectorSink>(), got.Done());
  stop.request_stop();
  EXPECT_EQ(got.Wait().error().code(), ErrorCode::kCancelled);
}

TEST(LatencyStore, TheEndOfTheStoreEndsTheWaiting) {
  testing::Completion<ObjectInfo> head;
  testing::Completion<void> deleted;
  {
    LatencyStore store(Inner(), FixedLatency(kForever));
    store.Head("k", head.Done());
    store.Delete("k", deleted.Done());
  }
  EXPECT_EQ(head.calls(), 1);
  EXPECT_EQ(head.Wait().error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(deleted.calls(), 1);
}

TEST(LatencyStore, TheModelSeesTheCallAndItsBytes) {
  testing::Completion<uint64_t> seen;
  LatencyStore store(Inner(), [done = seen.Done()](const StoreCall& call, uint64_t bytes) {
    if (call.op == StoreOp::kGet && call.key == "k") done(bytes);
    return Duration(0);
  });
  HeadObject(store, "k");
  GetBytes(store, testing::Range("k", 4, {}));
  EXPECT_EQ(*seen.Wait(), 6u);
}

TEST(LatencyStore, FixedLatencyAddsTheTimeOfTheBytes) {
  const StoreCall call;
  EXPECT_EQ(FixedLatency(20ms)(call, 1'000'000), Duration(20ms));
  EXPECT_EQ(FixedLatency(20ms, 1e6)(call, 500'000), Duration(520ms));
  EXPECT_EQ(FixedLatency(20ms, 1e6)(call, 0), Duration(20ms));
}

TEST(LatencyStore, WritersAreNotDelayed) {
  const auto inner = Inner();
  LatencyStore store(inner, FixedLatency(kForever));
  EXPECT_EQ(PutBytes(store, "new", "x").size, 1u);
  EXPECT_EQ(GetBytes(*inner, "new").view(), "x");
  EXPECT_EQ(store.UriOf("new"), "mem://m/new");
}

}  // namespace
}  // namespace bucketline
