#include "bucketline/store/recording_store.h"

#include <gtest/gtest.h>

#include "bucketline/store/blocking.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<ObjectStore> Inner() {
  std::shared_ptr<ObjectStore> inner = MakeMemoryStore("m");
  PutBytes(*inner, "k", "0123456789");
  return inner;
}

TEST(RecordingStore, RemembersWhatWasAsked) {
  RecordingStore store(Inner());
  GetRequest get = testing::Range("k", 2, 3);
  get.pin.size = 10;
  EXPECT_EQ(GetBytes(store, get).view(), "234");
  HeadObject(store, "k");
  ListRequest list;
  list.prefix = "p";
  list.token = "61";
  ListOnePage(store, list);
  PutBytes(store, "new", "x");
  DeleteObject(store, "k");

  const std::vector<StoreCall> calls = store.calls();
  ASSERT_EQ(calls.size(), 5u);
  EXPECT_EQ(calls[0].op, StoreOp::kGet);
  EXPECT_EQ(calls[0].key, "k");
  EXPECT_EQ(calls[0].offset, 2u);
  EXPECT_EQ(calls[0].length, 3u);
  EXPECT_EQ(calls[0].pin.size, 10u);
  EXPECT_EQ(calls[1].op, StoreOp::kHead);
  EXPECT_EQ(calls[2].op, StoreOp::kList);
  EXPECT_EQ(calls[2].key, "p");
  EXPECT_EQ(calls[2].token, "61");
  EXPECT_EQ(calls[3].op, StoreOp::kOpenWriter);
  EXPECT_EQ(calls[3].key, "new");
  EXPECT_EQ(calls[4].op, StoreOp::kDelete);
  EXPECT_EQ(store.CountOf(StoreOp::kGet), 1u);
  store.Forget();
  EXPECT_TRUE(store.calls().empty());
}

TEST(RecordingStore, CountsWhatIsInFlight) {
  const auto hanging = std::make_shared<FaultStore>(Inner(), Always(StoreOp::kGet, Fault::Hang()));
  testing::Completion<ObjectInfo> gets[3];
  {
    RecordingStore store(hanging);
    for (auto& get : gets) {
      store.Get(testing::Whole("k"), std::make_shared<testing::VectorSink>(), get.Done());
    }
    EXPECT_TRUE(store.WaitForInFlight(3, 120s));
    EXPECT_FALSE(store.WaitForInFlight(4, 1ms));
    HeadObject(store, "k");
    EXPECT_EQ(store.in_flight(), 3u);
    EXPECT_EQ(store.max_in_flight(), 4u);
    store.Forget();
    EXPECT_EQ(store.max_in_flight(), 3u);
  }
  for (auto& get : gets) {
    EXPECT_EQ(get.calls(), 1) << "the end of the store cancels what it passed on";
    EXPECT_EQ(get.Wait().error().code(), ErrorCode::kCancelled);
  }
}

TEST(RecordingStore, ACallIsOverBeforeItsDone) {
  RecordingStore store(Inner());
  testing::Completion<size_t> in_flight;
  store.Head("k", [&, done = in_flight.Done()](const Result<ObjectInfo>&) { done(store.in_flight()); });
  EXPECT_EQ(*in_flight.Wait(), 0u);
}

}  // namespace
}  // namespace bucketline
