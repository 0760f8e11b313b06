#include "bucketline/store/parallel_list.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/random.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/latency_store.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/store/recording_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<ObjectStore> StoreOf(const std::set<std::string>& keys) {
  std::shared_ptr<ObjectStore> store = MakeMemoryStore("m");
  for (const std::string& key : keys) PutBytes(*store, key, "");
  return store;
}

// Answers in an order of its own.
std::shared_ptr<ObjectStore> Disordered(std::shared_ptr<ObjectStore> store, uint64_t seed) {
  auto calls = std::make_shared<std::atomic<uint64_t>>(seed);
  return std::make_shared<LatencyStore>(std::move(store), [calls](const StoreCall&, uint64_t) {
    return std::chrono::microseconds(Mix64(calls->fetch_add(1)) % 400);
  });
}

struct Listing {
  std::vector<std::string> keys;  // in order
  std::vector<KeyRange> ranges;   // in order
};

// Checks that each page holds just what its range says.
Listing List(ObjectStore& store, const ParallelListRequest& request) {
  Listing listing;
  ListInParallel(store, request, [&](ListedRange listed) {
    EXPECT_TRUE(std::is_sorted(listed.objects.begin(), listed.objects.end(),
                               [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; }));
    for (const ObjectInfo& object : listed.objects) {
      EXPECT_GT(object.key, listed.range.after);
      if (listed.range.last) {
        EXPECT_LE(object.key, *listed.range.last);
      }
      listing.keys.push_back(object.key);
    }
    listing.ranges.push_back(listed.range);
    return true;
  });
  std::sort(listing.keys.begin(), listing.keys.end());
  std::sort(listing.ranges.begin(), listing.ranges.end(),
            [](const KeyRange& a, const KeyRange& b) { return a.after < b.after; });
  return listing;
}

// That the pages' ranges follow each other through all keys, without a gap.
void ExpectWhole(const std::vector<KeyRange>& ranges) {
  ASSERT_FALSE(ranges.empty());
  EXPECT_EQ(ranges.front().after, "");
  for (size_t i = 1; i < ranges.size(); ++i) EXPECT_EQ(ranges[i - 1].last, ranges[i].after);
  EXPECT_EQ(ranges.back().last, std::nullopt);
}

std::vector<std::string> Below(const std::set<std::string>& keys, const std::string& prefix) {
  std::vector<std::string> below;
  for (const std::string& key : keys) {
    if (key.starts_with(prefix)) below.push_back(key);
  }
  return below;
}

// Key sets of every shape that listings meet.
std::set<std::string> RandomKeys(CounterRng& random) {
  const uint64_t shape = random.NextBelow(7);
  const uint64_t count = random.NextBelow(400);
  const std::string odd = "a/+ %_~\x01\x7f";
  std::set<std::string> keys;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t draw = random.NextU64();
    switch (shape) {
      case 0:  // one flat prefix, counted
        keys.insert(fmt::format("p/img_{:06}.jpg", i));
        break;
      case 1:  // hexadecimal
        keys.insert(fmt::format("p/{:016x}", draw));
        break;
      case 2:  // folders of unequal size
        keys.insert(fmt::format("p/{}/{}", draw % (1 + draw % 20), i));
        break;
      case 3:  // far below
        keys.insert(fmt::format("p/a/b/c/d/e/f/{}/{}/x", draw % 3, i));
        break;
      case 4: {  // odd characters
        std::string key = "p/";
        for (uint64_t n = 1 + draw % 7, bits = draw; n > 0; --n, bits /= 9) key += odd[bits % odd.size()];
        keys.insert(key);
        break;
      }
      case 5:  // all beyond ASCII, and some that are not
        keys.insert(fmt::format("p/\xc3\xa4{}\xf0\x9f\x98\x80{}", draw % 5, i));
        if (draw % 4 == 0) keys.insert(fmt::format("p/z{}", draw % 1000));
        break;
      default:  // numbers of every length
        keys.insert(fmt::format("p/{}", draw >> (draw % 60)));
    }
  }
  keys.insert({"o", "p", "p0", "q/1"});  // beside the prefix
  return keys;
}

TEST(ParallelList, IsTheSerialListingForAnyKeys) {
  CounterRng random(1, 0, 0);
  for (uint64_t round = 0; round < 150; ++round) {
    const std::set<std::string> keys = RandomKeys(random);
    const std::string prefix = std::vector<std::string>{"p/", "p", "", "p/i"}[random.NextBelow(4)];
    const int page_keys = static_cast<int>(1 + random.NextBelow(12));
    RecordingStore store(Disordered(StoreOf(keys), round));
    const Listing listing =
        List(store, {.prefix = prefix, .width = 1 + random.NextBelow(16), .page_keys = page_keys});
    const std::vector<std::string> expected = Below(keys, prefix);
    ASSERT_EQ(listing.keys, expected) << "round " << round;
    ExpectWhole(listing.ranges);
    const size_t pages = 1 + expected.size() / static_cast<size_t>(page_keys);
    EXPECT_LE(store.CountOf(StoreOp::kList), 2 * pages + 3) << "round " << round;
  }
}

TEST(ParallelList, RangesAloneAreListed) {
  std::set<std::string> keys;
  for (int i = 0; i < 1000; ++i) keys.insert(fmt::format("p/{:03}", i));
  const auto store = Disordered(StoreOf(keys), 3);
  const Listing listing = List(*store, {.prefix = "p/",
                                        .ranges = {{.after = "p/100", .last = "p/250"},
                                                   {.after = "p/300", .last = "p/300"},
                                                   {.after = "p/700", .last = {}}},
                                        .width = 8,
                                        .page_keys = 10});
  std::vector<std::string> expected;
  for (const std::string& key : keys) {
    if ((key > "p/100" && key <= "p/250") || key > "p/700") expected.push_back(key);
  }
  EXPECT_EQ(listing.keys, expected);
  EXPECT_TRUE(List(*store, {.prefix = "p/", .ranges = {}}).keys.empty());
}

TEST(ParallelList, EachPageTellsWhatIsLeft) {
  std::set<std::string> keys;
  for (int i = 0; i < 4000; ++i) keys.insert(fmt::format("p/{:04}", i));
  const auto store = StoreOf(keys);
  const auto told = [&](size_t width) {
    uint64_t listed = 0;
    uint64_t pages = 0;
    std::optional<uint64_t> last;
    ListInParallel(*store, {.prefix = "p/", .width = width, .page_keys = 10}, [&](const ListedRange& page) {
      listed += page.objects.size();
      last = page.left;
      if (!page.left) return true;
      ++pages;
      EXPECT_NEAR(static_cast<double>(listed + *page.left), 4000, 1000);
      return true;
    });
    EXPECT_EQ(last, width > 1 ? std::optional<uint64_t>(0) : std::nullopt);
    return pages;
  };
  EXPECT_GT(told(8), 200u);
  EXPECT_EQ(told(1), 0u);
}

TEST(ParallelList, SmallListingsCostNoMoreThanTheirPages) {
  std::set<std::string> keys;
  for (int i = 0; i < 30; ++i) keys.insert(fmt::format("p/{}/{:03}", i % 3, i));
  RecordingStore store(StoreOf(keys));
  for (const auto& [page_keys, requests] : std::map<int, size_t>{{1000, 1}, {30, 1}, {29, 2}, {15, 2}}) {
    store.Forget();
    EXPECT_EQ(List(store, {.prefix = "p/", .page_keys = page_keys}).keys.size(), 30u);
    EXPECT_EQ(store.CountOf(StoreOp::kList), requests) << page_keys;
  }
  store.Forget();
  EXPECT_TRUE(List(store, {.prefix = "none/"}).keys.empty());
  EXPECT_EQ(store.CountOf(StoreOp::kList), 1u);
}

TEST(ParallelList, TheFirstErrorEndsIt) {
  std::set<std::string> keys;
  for (int i = 0; i < 2000; ++i) keys.insert(fmt::format("p/{:04}", i));
  for (uint64_t bad : {0, 1, 2, 7, 60}) {
    RecordingStore store(std::make_shared<FaultStore>(StoreOf(keys), [&](const StoreCall&, uint64_t number) {
      return number == bad ? Fault::FailBefore(Error(ErrorCode::kPermissionDenied, "no")) : Fault::None();
    }));
    const auto listed = Catch([&] { List(store, {.prefix = "p/", .width = 8, .page_keys = 10}); });
    ASSERT_FALSE(listed.ok()) << bad;
    EXPECT_EQ(listed.error().code(), ErrorCode::kPermissionDenied);
    EXPECT_EQ(store.in_flight(), 0u);
  }
}

TEST(ParallelList, RefusedFoldersOnlyCostSpeed) {
  std::set<std::string> keys;
  for (int i = 0; i < 2000; ++i) keys.insert(fmt::format("p/{:02}/{:04}", i / 50, i));
  class NoDelimiter : public RecordingStore {
   public:
    using RecordingStore::RecordingStore;
    void List(ListRequest request, std::function<void(Result<ListPage>)> done) override {
      if (!request.delimiter.empty()) request.max_keys = ++asked_ > 0 ? 0 : 1;  // which no store takes
      RecordingStore::List(std::move(request), std::move(done));
    }
    std::atomic<int> asked_ = 0;
  } store(StoreOf(keys));
  EXPECT_EQ(List(store, {.prefix = "p/", .width = 8, .page_keys = 10}).keys.size(), 2000u);
  EXPECT_EQ(store.asked_, 1);
}

TEST(ParallelList, NobodyWaitsForFoldersWhenAllIsListed) {
  std::set<std::string> keys;
  for (int i = 0; i < 200; ++i) keys.insert(fmt::format("p/{:02}/{:04}", i / 50, i));
  class SilentFolders : public RecordingStore {
   public:
    using RecordingStore::RecordingStore;
    void List(ListRequest request, std::function<void(Result<ListPage>)> done) override {
      if (request.delimiter.empty()) return inner_->List(std::move(request), std::move(done));
      ++asked_;
      silent_.List(std::move(request), std::move(done));
    }
    const std::shared_ptr<RecordingStore> inner_ = std::make_shared<RecordingStore>(MakeMemoryStore("m"));
    FaultStore silent_{MakeMemoryStore("m"), [](const StoreCall&, uint64_t) { return Fault::Hang(); }};
    std::atomic<int> asked_ = 0;
  } store(MakeMemoryStore("unused"));
  for (const std::string& key : keys) PutBytes(*store.inner_, key, "");
  EXPECT_EQ(List(store, {.prefix = "p/", .width = 4, .page_keys = 10}).keys.size(), 200u);
  EXPECT_GE(store.asked_, 1);
}

TEST(ParallelList, AStopEndsItSoon) {
  std::set<std::string> keys;
  for (int i = 0; i < 500; ++i) keys.insert(fmt::format("p/{:04}", i));
  FaultStore store(StoreOf(keys), [](const StoreCall&, uint64_t number) {
    return number < 10 ? Fault::None() : Fault::Hang();
  });
  std::stop_source stop;
  size_t pages = 0;
  const auto listed = Catch([&] {
    ListInParallel(store, {.prefix = "p/", .page_keys = 10, .stop = stop.get_token()}, [&](ListedRange) {
      if (++pages == 9) stop.request_stop();
      return true;
    });
  });
  ASSERT_FALSE(listed.ok());
  EXPECT_EQ(listed.error().code(), ErrorCode::kCancelled);
}

TEST(ParallelList, TheTakerMayEndItOrThrow) {
  std::set<std::string> keys;
  for (int i = 0; i < 500; ++i) keys.insert(fmt::format("p/{:04}", i));
  RecordingStore store(StoreOf(keys));
  size_t pages = 0;
  ListInParallel(store, {.prefix = "p/", .page_keys = 10}, [&](ListedRange) { return ++pages < 5; });
  EXPECT_EQ(pages, 5u);
  EXPECT_EQ(store.in_flight(), 0u);
  EXPECT_THROW(ListInParallel(store, {.prefix = "p/", .page_keys = 10},
                              [&](ListedRange) -> bool { throw Error(ErrorCode::kIo, "disk full"); }),
               Error);
  EXPECT_EQ(store.in_flight(), 0u);
}

// Lists as it likes.
class Scripted : public RecordingStore {
 public:
  Scripted(std::shared_ptr<ObjectStore> inner, std::function<void(ListRequest*)> change,
           std::function<void(ListPage*)> spoil)
      : RecordingStore(std::move(inner)), change_(std::move(change)), spoil_(std::move(spoil)) {}

  void List(ListRequest request, std::function<void(Result<ListPage>)> done) override {
    change_(&request);
    RecordingStore::List(std::move(request), [this, done](Result<ListPage> page) {
      if (page.ok()) spoil_(&*page);
      done(std::move(page));
    });
  }

 private:
  const std::function<void(ListRequest*)> change_;
  const std::function<void(ListPage*)> spoil_;
};

TEST(ParallelList, AStoreThatBeginsWhereItLikesIsListedAllTheSame) {
  std::set<std::string> keys;
  for (int i = 0; i < 600; ++i) keys.insert(fmt::format("p/{:04}", i));
  Scripted store(StoreOf(keys), [](ListRequest* request) { request->start_after.clear(); }, [](ListPage*) {});
  const Listing listing = List(store, {.prefix = "p/", .width = 4, .page_keys = 10});
  EXPECT_EQ(listing.keys, Below(keys, "p/"));
}

TEST(ParallelList, KeysOutOfOrderAndTokensThatStandStillAreErrors) {
  std::set<std::string> keys;
  for (int i = 0; i < 100; ++i) keys.insert(fmt::format("p/{:04}", i));
  Scripted disordered(
      StoreOf(keys), [](ListRequest*) {}, [](ListPage* page) { page->objects.front().key = "p/0000"; });
  auto listed = Catch([&] { List(disordered, {.prefix = "p/", .page_keys = 10}); });
  ASSERT_FALSE(listed.ok());
  EXPECT_EQ(listed.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(listed.error().message(), HasSubstr("out of bytewise order"));
  EXPECT_EQ(listed.error().uri(), "mem://m/p/");
  Scripted still(
      StoreOf(keys), [](ListRequest* request) { request->token = ""; },
      [](ListPage* page) {
        page->next_token = "again";
        page->objects.clear();
      });
  listed = Catch([&] { List(still, {.prefix = "p/", .page_keys = 10}); });
  ASSERT_FALSE(listed.ok());
  EXPECT_EQ(listed.error().code(), ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace bucketline
