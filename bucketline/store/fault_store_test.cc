#include "bucketline/store/fault_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/store/blocking.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/store/recording_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

const Error kSlowDown(ErrorCode::kThrottled, "slow down");

class FaultStoreTest : public ::testing::Test {
 protected:
  FaultStoreTest() { PutBytes(*inner, "k", "0123456789"); }

  static ErrorCode CodeOf(const std::function<void()>& call) {
    const auto result = Catch(call);
    return result.ok() ? ErrorCode::kInternal : result.error().code();
  }

  std::shared_ptr<RecordingStore> inner = std::make_shared<RecordingStore>(MakeMemoryStore("m"));
};

TEST_F(FaultStoreTest, FailsBeforeTheInnerStoreHears) {
  FaultStore store(inner, InTurn({Fault::None(), Fault::FailBefore(kSlowDown)}));
  inner->Forget();
  EXPECT_EQ(GetBytes(store, "k").view(), "0123456789");
  const auto failed = Catch([&] { return GetBytes(store, "k"); });
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), ErrorCode::kThrottled);
  EXPECT_EQ(failed.error().uri(), "mem://m/k");
  EXPECT_EQ(GetBytes(store, "k").view(), "0123456789");
  EXPECT_EQ(inner->CountOf(StoreOp::kGet), 2u);
  EXPECT_EQ(store.faults(), 1u);
}

TEST_F(FaultStoreTest, FailsAfterSomeBytes) {
  FaultStore store(inner, Always(StoreOp::kGet, Fault::FailAfter(4, kSlowDown)));
  auto sink = std::make_shared<testing::VectorSink>();
  testing::Completion<ObjectInfo> got;
  store.Get(testing::Range("k", 1, 8), sink, got.Done());
  EXPECT_EQ(got.Wait().error().code(), ErrorCode::kThrottled);
  EXPECT_EQ(sink->begun_size(), 8u);
  const std::string_view bytes(reinterpret_cast<const char*>(sink->bytes().data()), 8);
  EXPECT_EQ(bytes, std::string_view("1234\0\0\0\0", 8));
}

TEST_F(FaultStoreTest, FailsAfterAllBytesAtMost) {
  FaultStore store(inner, Always(StoreOp::kGet, Fault::FailAfter(1000, kSlowDown)));
  EXPECT_EQ(CodeOf([&] { GetBytes(store, "k"); }), ErrorCode::kThrottled);
  EXPECT_EQ(CodeOf([&] { GetBytes(store, "missing"); }), ErrorCode::kNotFound)
      << "the inner error comes first";
}

TEST_F(FaultStoreTest, ADeleteThatFailsAfterwardsHasHappened) {
  FaultStore store(inner, Always(StoreOp::kDelete, Fault::FailAfter(0, kSlowDown)));
  EXPECT_EQ(CodeOf([&] { DeleteObject(store, "k"); }), ErrorCode::kThrottled);
  EXPECT_TRUE(ListAll(*inner, "").empty());
}

TEST_F(FaultStoreTest, AHangEndsWithAStop) {
  FaultStore store(inner, Always(StoreOp::kGet, Fault::Hang()));
  std::stop_source stop;
  GetRequest request = testing::Whole("k");
  request.stop = stop.get_token();
  testing::Completion<ObjectInfo> got;
  store.Get(request, std::make_shared<testing::VectorSink>(), got.Done());
  GetBytes(*inner, "k");
  EXPECT_EQ(got.calls(), 0);
  stop.request_stop();
  EXPECT_EQ(got.Wait().error().code(), ErrorCode::kCancelled);
}

TEST_F(FaultStoreTest, AHangEndsWithTheStore) {
  testing::Completion<ObjectInfo> head;
  testing::Completion<ListPage> list;
  {
    FaultStore store(inner, [](const StoreCall&, uint64_t) { return Fault::Hang(); });
    store.Head("k", head.Done());
    store.List({}, list.Done());
  }
  EXPECT_EQ(head.calls(), 1);
  EXPECT_EQ(head.Wait().error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(list.calls(), 1);
}

TEST_F(FaultStoreTest, WritersFailWhereTheyAreTold) {
  const auto store_with = [&](StoreOp op, Fault fault) {
    return std::make_unique<FaultStore>(inner, Always(op, std::move(fault)));
  };
  const auto put = [](ObjectStore& store) { PutBytes(store, "new", "0123456789"); };
  for (const StoreOp op : {StoreOp::kOpenWriter, StoreOp::kCommit}) {
    EXPECT_EQ(CodeOf([&] { put(*store_with(op, Fault::FailBefore(kSlowDown))); }), ErrorCode::kThrottled);
    EXPECT_EQ(CodeOf([&] { put(*store_with(op, Fault::Hang())); }), ErrorCode::kTimeout);
  }
  EXPECT_EQ(CodeOf([&] { put(*store_with(StoreOp::kOpenWriter, Fault::FailAfter(3, kSlowDown))); }),
            ErrorCode::kThrottled);
  EXPECT_EQ(ListAll(*inner, "").size(), 1u) << "nothing of the failed writes is there";
  EXPECT_NO_THROW(put(*store_with(StoreOp::kOpenWriter, Fault::FailAfter(10, kSlowDown))));
  EXPECT_EQ(CodeOf([&] { put(*store_with(StoreOp::kCommit, Fault::FailAfter(0, kSlowDown))); }),
            ErrorCode::kThrottled);
  EXPECT_EQ(GetBytes(*inner, "new").size(), 10u) << "a commit that fails afterwards has happened";
}

TEST_F(FaultStoreTest, AWriteTakesTheBytesBeforeTheFault) {
  FaultStore store(inner, Always(StoreOp::kOpenWriter, Fault::FailAfter(3, kSlowDown)));
  const auto writer = store.OpenWriter("new");
  const std::vector<uint8_t> two = {'a', 'b'};
  writer->Write(two);
  EXPECT_EQ(CodeOf([&] { writer->Write(two); }), ErrorCode::kThrottled);
  EXPECT_EQ(writer->Commit().size, 3u);
}

TEST_F(FaultStoreTest, RandomFaultsAreAFunctionOfTheSeed) {
  const auto run = [&](uint64_t seed) {
    FaultStore store(inner, AtRandom(seed, 0.3, Fault::FailBefore(kSlowDown)));
    std::string outcomes;
    for (int i = 0; i < 100; ++i) outcomes += Catch([&] { HeadObject(store, "k"); }).ok() ? '.' : 'x';
    return outcomes;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
  const auto failures = std::ranges::count(run(1), 'x');
  EXPECT_GT(failures, 10);
  EXPECT_LT(failures, 60);
}

TEST_F(FaultStoreTest, TheScriptSeesTheCall) {
  std::vector<StoreCall> seen;
  FaultStore store(inner, [&](const StoreCall& call, uint64_t number) {
    EXPECT_EQ(number, seen.size());
    seen.push_back(call);
    return Fault::None();
  });
  GetBytes(store, testing::Range("k", 2, 3));
  PutBytes(store, "new", "x");
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].op, StoreOp::kGet);
  EXPECT_EQ(seen[0].key, "k");
  EXPECT_EQ(seen[0].offset, 2u);
  EXPECT_EQ(seen[0].length, 3u);
  EXPECT_EQ(seen[1].op, StoreOp::kOpenWriter);
  EXPECT_EQ(seen[2].op, StoreOp::kCommit);
  EXPECT_EQ(seen[2].key, "new");
}

}  // namespace
}  // namespace bucketline
