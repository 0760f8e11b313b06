#include "bucketline/channel/ordered_reads.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/hash.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/latency_store.h"
#include "bucketline/store/recording_store.h"

namespace bucketline {
namespace {

using testing::Bucket;
using testing::ErrorOf;
using ::testing::HasSubstr;

constexpr uint64_t kObjects = 60;

std::string Content(uint64_t number) { return std::to_string(number * 1'000'003); }

class OrderedReadsTest : public ::testing::Test {
 protected:
  OrderedReadsTest() {
    for (uint64_t i = 0; i < kObjects; ++i) bucket_.Put("p/" + std::to_string(100 + i), Content(i));
  }

  Dataset Open(std::shared_ptr<ObjectStore> store) {
    bucket_.runtime().AddStore("read", std::move(store));
    return bucket_.Open("mem://read/p/", {.extensions = {}});
  }

  // Every object of the dataset once, in order.
  OrderedReads::Name All(const Dataset& dataset) {
    return [&dataset, next = uint64_t{0}]() mutable -> std::optional<PartPlace> {
      if (next == dataset.size()) return std::nullopt;
      return dataset.PlaceAt(next++);
    };
  }

  Bucket bucket_;
  MemoryBudget bytes_{1000};
  MemoryBudget requests_{8};
  FetcherOptions options_{.budget = &bytes_, .requests = &requests_};
};

TEST_F(OrderedReadsTest, GivesThemInOrderHoweverTheyCome) {
  const auto uneven = [](const StoreCall& call, uint64_t) -> Duration {
    return std::chrono::microseconds(StableHash64(call.key) % 2000);
  };
  const Dataset dataset = Open(std::make_shared<LatencyStore>(bucket_.store(), uneven));
  OrderedReads reads(options_, All(dataset));
  for (uint64_t i = 0; i < kObjects; ++i) {
    const Fetched fetched = reads.Take({});
    EXPECT_EQ(fetched.bytes.view(), Content(i));
    EXPECT_EQ(fetched.etag, dataset.RecordAt(i).parts[0].etag);
  }
}

TEST_F(OrderedReadsTest, AsksAheadAsFarAsTheBytesGo) {
  const auto recording = std::make_shared<RecordingStore>(bucket_.store());
  const Dataset dataset = Open(recording);
  MemoryBudget two(Content(0).size() + Content(1).size());
  OrderedReads reads({.budget = &two, .requests = &requests_}, All(dataset));
  const Fetched first = reads.Take({});
  EXPECT_LE(recording->CountOf(StoreOp::kGet), 2u);
}

TEST_F(OrderedReadsTest, AnErrorStandsInItsPlace) {
  const Dataset dataset =
      Open(std::make_shared<FaultStore>(bucket_.store(), [](const StoreCall& call, uint64_t) {
        return call.key == "p/102" ? Fault::FailBefore(Error(ErrorCode::kUnavailable, "down"))
                                   : Fault::None();
      }));
  OrderedReads reads(options_, All(dataset));
  EXPECT_EQ(reads.Take({}).bytes.view(), Content(0));
  EXPECT_EQ(reads.Take({}).bytes.view(), Content(1));
  const Error error = ErrorOf([&] { reads.Take({}); });
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(error.uri(), "mem://data/p/102");
}

TEST_F(OrderedReadsTest, SoDoesOneOfNaming) {
  const Dataset dataset = Open(bucket_.store());
  OrderedReads reads(options_, [&dataset, next = 0]() mutable -> std::optional<PartPlace> {
    if (next++ == 1) throw Error(ErrorCode::kCorruptData, "the manifest is damaged");
    return dataset.PlaceAt(0);
  });
  EXPECT_EQ(reads.Take({}).bytes.view(), Content(0));
  EXPECT_THAT(ErrorOf([&] { reads.Take({}); }).message(), HasSubstr("damaged"));
}

TEST_F(OrderedReadsTest, NamesNoMoreThanItMay) {
  const Dataset dataset = Open(bucket_.store());
  std::atomic<uint64_t> named = 0;
  MemoryBudget bytes(uint64_t{1} << 40);
  constexpr uint64_t kMany = OrderedReads::kMostAhead + 500;
  OrderedReads reads({.budget = &bytes, .requests = &requests_}, [&]() -> std::optional<PartPlace> {
    if (named == kMany) return std::nullopt;
    ++named;
    return dataset.PlaceAt(named % kObjects);
  });
  for (uint64_t i = 1; i <= kMany; ++i) {
    EXPECT_EQ(reads.Take({}).bytes.view(), Content(i % kObjects));
    EXPECT_LE(named, i + OrderedReads::kMostAhead);
  }
}

TEST_F(OrderedReadsTest, TakingEndsWhenItIsStopped) {
  const Dataset dataset =
      Open(std::make_shared<FaultStore>(bucket_.store(), Always(StoreOp::kGet, Fault::Hang())));
  OrderedReads reads(options_, All(dataset));
  EXPECT_FALSE(reads.Ready());
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(ErrorOf([&] { reads.Take(stop.get_token()); }).code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace bucketline
