// Neighbours: parts of one object that one Get reads.
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/dataset/fetcher.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/recording_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::chrono::seconds kDeadline{30};
constexpr uint64_t kSize = 1000;

// The parts [offset, offset + length) of one object, as one item.
class FetcherNeighbours : public ::testing::Test {
 protected:
  FetcherNeighbours() { etag_ = PutBytes(*memory_, "shard", testing::RampBytes(kSize, 0)).etag; }

  RecordPart Part(uint64_t offset, uint64_t length) const {
    return {.object_key = "shard", .offset = offset, .length = length, .object_size = kSize, .etag = etag_};
  }

  void Fetch(const std::vector<std::pair<uint64_t, uint64_t>>& ranges, FaultScript faults = InTurn({})) {
    store_ = std::make_shared<RecordingStore>(std::make_shared<FaultStore>(memory_, std::move(faults)));
    FetchItem item{.tag = 0, .place = {.store = store_, .part = Part(ranges[0].first, ranges[0].second)}};
    for (uint64_t i = 1; i < ranges.size(); ++i) {
      item.neighbours.push_back({.tag = i, .part = Part(ranges[i].first, ranges[i].second)});
    }
    fetcher_ = std::make_unique<Fetcher>(
        FetcherOptions{.budget = &budget_, .common = &common_, .requests = &requests_},
        [item, given = false](std::stop_token) mutable -> std::optional<FetchItem> {
          if (std::exchange(given, true)) return std::nullopt;
          return item;
        },
        [this](uint64_t tag, Result<Fetched> result) {
          std::lock_guard lock(mutex_);
          delivered_[tag].push_back(std::move(result));
          changed_.notify_all();
        });
  }

  bool WaitFor(size_t tags) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kDeadline, [&] { return delivered_.size() == tags; });
  }

  void ExpectBytes(uint64_t tag, uint64_t offset, uint64_t length) {
    ASSERT_EQ(delivered_[tag].size(), 1u);
    ASSERT_TRUE(delivered_[tag][0]) << delivered_[tag][0].error().what();
    const Bytes whole = Bytes::FromVector(testing::RampBytes(kSize, 0));
    EXPECT_EQ(delivered_[tag][0]->bytes.view(), whole.Slice(offset, length).view());
    EXPECT_EQ(delivered_[tag][0]->etag, etag_);
  }
  const Error& ErrorOfTag(uint64_t tag) { return delivered_[tag].at(0).error(); }

  std::vector<std::pair<uint64_t, uint64_t>> Asked() const {
    std::vector<std::pair<uint64_t, uint64_t>> ranges;
    for (const StoreCall& call : store_->calls())
      ranges.emplace_back(call.offset, call.length.value_or(kSize));
    return ranges;
  }

  MemoryBudget budget_{1 << 20};  // the budgets outlive what was delivered
  MemoryBudget common_{1 << 20};
  MemoryBudget requests_{4};
  std::shared_ptr<ObjectStore> memory_ = MakeMemoryStore("data");
  std::shared_ptr<RecordingStore> store_;
  std::string etag_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint64_t, std::vector<Result<Fetched>>> delivered_;
  std::unique_ptr<Fetcher> fetcher_;
};

// A fault for Gets of more than `length` bytes.
FaultScript ForLongerThan(uint64_t length, Fault fault) {
  return [=](const StoreCall& call, uint64_t) -> Fault {
    return call.length.value_or(kSize) <= length ? Fault::None() : fault;
  };
}

TEST_F(FetcherNeighbours, AreReadWithOnePinnedGetOfTheRangeThatHoldsThem) {
  Fetch({{300, 100}, {100, 50}, {400, 0}, {420, 80}});
  ASSERT_TRUE(WaitFor(4));
  ExpectBytes(0, 300, 100);
  ExpectBytes(1, 100, 50);
  ExpectBytes(2, 400, 0);
  ExpectBytes(3, 420, 80);
  EXPECT_THAT(Asked(), ElementsAre(std::pair(100, 400)));
  EXPECT_EQ(store_->calls()[0].pin.etag, etag_);
  EXPECT_EQ(store_->calls()[0].pin.size, kSize);
}

TEST_F(FetcherNeighbours, HoldTheirRangeUntilTheLastOfThemIsDone) {
  Fetch({{100, 50}, {160, 40}});
  ASSERT_TRUE(WaitFor(2));
  fetcher_->Stop();
  EXPECT_EQ(requests_.used(), 0u);
  EXPECT_EQ(budget_.used(), 100u);
  EXPECT_EQ(common_.used(), 100u);
  delivered_[0].clear();
  EXPECT_EQ(budget_.used(), 100u);
  delivered_[1][0]->lease.Release();
  EXPECT_EQ(budget_.used(), 0u);
  EXPECT_EQ(common_.used(), 0u);
}

TEST_F(FetcherNeighbours, ThatCannotBeReadTogetherAreReadAlone) {
  for (const ErrorCode code :
       {ErrorCode::kInvalidArgument, ErrorCode::kObjectChanged, ErrorCode::kCorruptData}) {
    delivered_.clear();
    Fetch({{100, 50}, {150, 50}, {210, 10}}, ForLongerThan(50, Fault::FailBefore(Error(code, "no"))));
    ASSERT_TRUE(WaitFor(3));
    fetcher_->Stop();
    ExpectBytes(0, 100, 50);
    ExpectBytes(1, 150, 50);
    ExpectBytes(2, 210, 10);
    EXPECT_THAT(Asked(),
                ElementsAre(std::pair(100, 120), std::pair(100, 50), std::pair(150, 50), std::pair(210, 10)));
    EXPECT_EQ(store_->max_in_flight(), 1u) << "on the one request that they have";
    EXPECT_EQ(budget_.used(), 120u);
    EXPECT_EQ(requests_.used(), 0u);
  }
}

TEST_F(FetcherNeighbours, OfOneThatIsBadAreGiven) {
  const Error bad(ErrorCode::kCorruptData, "no");
  Fetch({{100, 50}, {150, 60}, {210, 10}}, ForLongerThan(50, Fault::FailBefore(bad)));
  ASSERT_TRUE(WaitFor(3));
  ExpectBytes(0, 100, 50);
  ExpectBytes(2, 210, 10);
  EXPECT_EQ(ErrorOfTag(1).code(), ErrorCode::kCorruptData);
  EXPECT_EQ(ErrorOfTag(1).uri(), "mem://data/shard");
}

TEST_F(FetcherNeighbours, ShareAFailureThatIsNotOfTheirBytes) {
  const Error down(ErrorCode::kUnavailable, "the store is down");
  Fetch({{100, 50}, {150, 60}}, Always(StoreOp::kGet, Fault::FailBefore(down)));
  ASSERT_TRUE(WaitFor(2));
  fetcher_->Stop();
  EXPECT_EQ(store_->calls().size(), 1u);
  for (uint64_t tag : {0, 1}) EXPECT_EQ(ErrorOfTag(tag).code(), ErrorCode::kUnavailable);
  EXPECT_THAT(ErrorOfTag(1).what(), HasSubstr("the store is down"));
  EXPECT_EQ(budget_.used(), 0u);
  EXPECT_EQ(common_.used(), 0u);
}

TEST_F(FetcherNeighbours, AreEndedByStopEach) {
  Fetch({{0, 500}, {500, 500}}, ForLongerThan(0, Fault::Hang()));
  ASSERT_TRUE(store_->WaitForInFlight(1, kDeadline));
  fetcher_->Stop();
  for (uint64_t tag : {0, 1}) EXPECT_EQ(ErrorOfTag(tag).code(), ErrorCode::kCancelled);
  EXPECT_EQ(delivered_.size(), 2u);
  EXPECT_EQ(budget_.used(), 0u);
  EXPECT_EQ(requests_.used(), 0u);
}

TEST_F(FetcherNeighbours, StoppedWhileTheyAreReadAloneAreDeliveredOnceEach) {
  const auto script = [](const StoreCall& call, uint64_t) -> Fault {
    if (call.length > 50u) return Fault::FailBefore(Error(ErrorCode::kObjectChanged, "shorter"));
    return call.offset == 150 ? Fault::Hang() : Fault::None();
  };
  Fetch({{100, 50}, {150, 50}, {200, 50}}, script);
  ASSERT_TRUE(WaitFor(1));
  fetcher_->Stop();
  ASSERT_EQ(delivered_.size(), 3u);
  ExpectBytes(0, 100, 50);
  for (uint64_t tag : {1, 2}) {
    ASSERT_EQ(delivered_[tag].size(), 1u);
    EXPECT_EQ(ErrorOfTag(tag).code(), ErrorCode::kCancelled);
  }
}

}  // namespace
}  // namespace bucketline
