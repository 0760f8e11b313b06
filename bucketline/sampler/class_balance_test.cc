#include "bucketline/sampler/class_balance.h"

#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

// Classes -1 with 3 records, 4 with most and 9 with 8, mixed.
int64_t ClassOf(uint64_t record) { return record % 15 == 3 ? -1 : record % 5 == 1 ? 9 : 4; }
constexpr uint64_t kRecords = 38;

TEST(ClassBalance, EveryRoundHasEachClassOnce) {
  const ClassBalance balance(kRecords, ClassOf, 300, 1);
  ASSERT_EQ(balance.classes(), 3u);
  std::set<std::vector<int64_t>> orders;
  for (uint64_t epoch : {0, 1, 7}) {
    for (uint64_t position = 0; position < 300; position += 3) {
      std::vector<int64_t> order;
      for (uint64_t i = 0; i < 3; ++i) order.push_back(ClassOf(balance.At(epoch, position + i)));
      EXPECT_EQ(std::set(order.begin(), order.end()).size(), 3u);
      orders.insert(order);
    }
  }
  EXPECT_EQ(orders.size(), 6u);
}

TEST(ClassBalance, AClassGoesThroughAllItsRecordsBeforeAnyComesAgain) {
  const ClassBalance balance(kRecords, ClassOf, 60, 1);  // 20 rounds an epoch
  std::map<int64_t, std::vector<uint64_t>> drawn;
  for (uint64_t epoch = 0; epoch < 21; ++epoch) {
    for (uint64_t position = 0; position < 60; ++position) {
      const uint64_t record = balance.At(epoch, position);
      drawn[ClassOf(record)].push_back(record);
    }
  }
  std::map<int64_t, uint64_t> sizes;
  for (uint64_t record = 0; record < kRecords; ++record) ++sizes[ClassOf(record)];
  for (const auto& [label, records] : drawn) {
    ASSERT_EQ(records.size(), 420u);
    std::set<std::vector<uint64_t>> orders;
    for (size_t i = 0; i + sizes[label] <= records.size(); i += sizes[label]) {
      const std::vector<uint64_t> cycle(records.begin() + static_cast<ptrdiff_t>(i),
                                        records.begin() + static_cast<ptrdiff_t>(i + sizes[label]));
      EXPECT_EQ(std::set(cycle.begin(), cycle.end()).size(), sizes[label]) << label;
      orders.insert(cycle);
    }
    EXPECT_GT(orders.size(), 1u) << label;
  }
}

TEST(ClassBalance, AnEpochOfAnySizeIsBalancedToOne) {
  for (const uint64_t size : {1, 2, 3, 4, 38, 100}) {
    const ClassBalance balance(kRecords, ClassOf, size, 2);
    std::map<int64_t, uint64_t> count;
    for (uint64_t position = 0; position < size; ++position) ++count[ClassOf(balance.At(3, position))];
    for (const auto& [label, seen] : count) {
      EXPECT_GE(seen, size / 3) << label;
      EXPECT_LE(seen, (size + 2) / 3) << label;
    }
  }
}

TEST(ClassBalance, DependsOnTheSeed) {
  const ClassBalance one(1000, [](uint64_t record) { return static_cast<int64_t>(record % 2); }, 1000, 1);
  const ClassBalance two(1000, [](uint64_t record) { return static_cast<int64_t>(record % 2); }, 1000, 2);
  int same = 0;
  for (uint64_t position = 0; position < 1000; ++position) same += one.At(0, position) == two.At(0, position);
  EXPECT_LT(same, 20);
}

TEST(ClassBalance, ManyClassesOfOneRecordAreAPermutation) {
  const ClassBalance balance(100, [](uint64_t record) { return static_cast<int64_t>(record); }, 100, 1);
  std::set<uint64_t> seen;
  for (uint64_t position = 0; position < 100; ++position) seen.insert(balance.At(4, position));
  EXPECT_EQ(seen.size(), 100u);
}

TEST(ClassBalance, IsTheSameInEveryVersion) {
  const ClassBalance balance(kRecords, ClassOf, 60, 12);
  std::vector<uint64_t> records;
  for (uint64_t position = 0; position < 9; ++position) records.push_back(balance.At(2, position));
  EXPECT_EQ(records, (std::vector<uint64_t>{33, 4, 36, 24, 1, 18, 22, 18, 31}));
}

TEST(ClassBalance, ChecksItsArguments) {
  const auto zero = [](uint64_t) { return int64_t{0}; };
  EXPECT_THROW(ClassBalance(0, zero, 10, 1), Error);
  EXPECT_THROW(ClassBalance(uint64_t{1} << 32, zero, 10, 1), Error);
  EXPECT_THROW(ClassBalance(10, zero, 0, 1), Error);
}

}  // namespace
}  // namespace bucketline
