#include "bucketline/store/blocking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/store/fault_store.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/store/recording_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;

TEST(Blocking, RoundTripOfEveryCall) {
  const auto store = MakeMemoryStore("m");
  const std::vector<uint8_t> data = testing::RampBytes(100);
  EXPECT_EQ(PutBytes(*store, "a", data).size, 100u);
  EXPECT_EQ(PutBytes(*store, "b", "text").size, 4u);
  EXPECT_TRUE(std::ranges::equal(GetBytes(*store, "a").span(), data));
  EXPECT_EQ(GetBytes(*store, testing::Range("b", 1, 2)).view(), "ex");
  EXPECT_EQ(HeadObject(*store, "b").size, 4u);
  EXPECT_EQ(ListOnePage(*store, {}).objects.size(), 2u);
  DeleteObject(*store, "a");
  EXPECT_EQ(ListAll(*store, "").size(), 1u);
}

TEST(Blocking, EachCallThrowsTheStoresError) {
  const Fault fault = Fault::FailBefore(Error(ErrorCode::kThrottled, "slow down"));
  FaultStore store(MakeMemoryStore("m"), [&](const StoreCall&, uint64_t) { return fault; });
  const std::function<void()> calls[] = {
      [&] { ListAll(store, ""); },     [&] { ListOnePage(store, {}); },   [&] { GetBytes(store, "k"); },
      [&] { HeadObject(store, "k"); }, [&] { DeleteObject(store, "k"); }, [&] { PutBytes(store, "k", "x"); }};
  for (const auto& call : calls) {
    const auto result = Catch(call);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code(), ErrorCode::kThrottled);
  }
}

TEST(Blocking, AnObjectAboveTheLimitIsRefusedBeforeItsBytes) {
  const auto store = MakeMemoryStore("m");
  PutBytes(*store, "k", "0123456789");
  EXPECT_EQ(GetBytes(*store, testing::Whole("k"), 10).size(), 10u);
  EXPECT_EQ(GetBytes(*store, testing::Range("k", 3, 5), 5).view(), "34567");
  const auto got = Catch([&] { return GetBytes(*store, testing::Whole("k"), 9); });
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(got.error().message(), ::testing::HasSubstr("10 bytes"));
}

TEST(Blocking, ListAllAsksForPageAfterPageAndTellsProgress) {
  RecordingStore store(MakeMemoryStore("m"));
  for (int i = 0; i < 2100; ++i) PutBytes(store, "p/" + std::to_string(i), "");
  std::vector<uint64_t> progress;
  const auto all = ListAll(store, "p/", {}, [&](uint64_t objects) { progress.push_back(objects); });
  EXPECT_EQ(all.size(), 2100u);
  EXPECT_THAT(progress, ElementsAre(1000, 2000, 2100));
  EXPECT_EQ(store.CountOf(StoreOp::kList), 3u);
}

TEST(Blocking, ListAllStops) {
  const auto store = MakeMemoryStore("m");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(ListAll(*store, "", stop.get_token()), Error);
}

TEST(Blocking, AStopEndsTheWaitForAHeadAndADelete) {
  FaultStore store(MakeMemoryStore("m"), [](const StoreCall&, uint64_t) { return Fault::Hang(); });
  std::stop_source stop;
  stop.request_stop();
  const std::function<void()> calls[] = {[&] { HeadObject(store, "k", stop.get_token()); },
                                         [&] { DeleteObject(store, "k", stop.get_token()); }};
  for (const auto& call : calls) {
    const auto result = Catch(call);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code(), ErrorCode::kCancelled);
  }
}

// Answers List as the test says, and nothing else.
class ListedStore : public ObjectStore {
 public:
  explicit ListedStore(ListPage page) : page_(std::move(page)) {}
  void List(ListRequest, std::function<void(Result<ListPage>)> done) override { done(page_); }
  void Get(GetRequest, std::shared_ptr<GetSink> sink, std::function<void(Result<ObjectInfo>)> done) override {
    // Two attempts, as a store that retries makes them; the first leaves rubbish.
    const ObjectInfo object{"k", 3, "\"e\"", {}};
    std::ranges::fill(*sink->Begin(3, object), uint8_t{'x'});
    std::ranges::copy(std::string_view("abc"), (*sink->Begin(3, object)).begin());
    done(object);
  }
  void Head(std::string, std::function<void(Result<ObjectInfo>)>) override {}
  void Delete(std::string, std::function<void(Result<void>)>) override {}
  std::unique_ptr<ObjectWriter> OpenWriter(std::string, WriteCondition) override { return nullptr; }
  std::string UriOf(std::string_view key) const override { return "x://" + std::string(key); }

 private:
  const ListPage page_;
};

TEST(Blocking, AListingThatDoesNotAdvanceIsAnErrorNotALoop) {
  ListPage page;
  page.next_token = "again";
  ListedStore store(page);
  const auto all = Catch([&] { return ListAll(store, "p"); });
  ASSERT_FALSE(all.ok());
  EXPECT_EQ(all.error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(all.error().uri(), "x://p");
}

TEST(Blocking, ListAllIsInOrderEvenIfTheStoreIsNot) {
  ListPage page;
  for (const char* key : {"b", "\xff", "a"}) page.objects.push_back({key, 0, {}, {}});
  ListedStore store(page);
  std::vector<std::string> keys;
  for (const ObjectInfo& object : ListAll(store, "")) keys.push_back(object.key);
  EXPECT_THAT(keys, ElementsAre("a", "b", "\xff"));
}

TEST(Blocking, GetBytesLetsTheStoreTryTwice) {
  ListedStore store({});
  EXPECT_EQ(GetBytes(store, "k").view(), "abc");
}

}  // namespace
}  // namespace bucketline
