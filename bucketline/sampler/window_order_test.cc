#include "bucketline/sampler/window_order.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/random.h"

namespace bucketline {
namespace {

// Shards of these many records, one after the other.
ShardTable InOrder(const std::vector<uint64_t>& sizes) {
  std::vector<uint64_t> shard_of;
  for (uint64_t shard = 0; shard < sizes.size(); ++shard)
    shard_of.insert(shard_of.end(), sizes[shard], shard);
  return ShardTable(shard_of.size(), [&](uint64_t record) { return shard_of[record]; });
}

std::vector<uint64_t> Epoch(const WindowOrder& order, uint64_t epoch) {
  WindowWalk walk(order);
  std::vector<uint64_t> records;
  for (uint64_t position = 0; position < order.shards().records(); ++position)
    records.push_back(walk.At(epoch, position));
  return records;
}

// The rule, with arrays: all the groups of an epoch.
std::vector<std::vector<uint64_t>> Model(const ShardTable& shards, uint64_t window, uint64_t seed,
                                         uint64_t epoch) {
  const Permutation order(shards.shards(), seed ^ 0x77696e2d73686172ull, epoch);
  const uint64_t count = (shards.shards() + window - 1) / window;
  std::vector<std::vector<uint64_t>> groups(count);
  for (uint64_t group = 0; group < count; ++group) {
    std::vector<uint64_t> records;
    for (uint64_t i = group * shards.shards() / count; i < (group + 1) * shards.shards() / count; ++i) {
      for (uint64_t place = shards.BeginOf(order.At(i)); place < shards.EndOf(order.At(i)); ++place)
        records.push_back(shards.RecordAt(place));
    }
    const Permutation within(records.size(), Mix64(seed ^ 0x77696e2d7265636full) + group, epoch);
    for (uint64_t i = 0; i < records.size(); ++i) groups[group].push_back(records[within.At(i)]);
  }
  return groups;
}

TEST(WindowOrder, IsThatOfAPlainModel) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 300; ++round) {
    const uint64_t n = 1 + random() % 200;
    const uint64_t numbers = 1 + random() % n;
    std::vector<uint64_t> shard_of;
    for (uint64_t i = 0; i < n; ++i)
      shard_of.push_back(random() % 5 == 0 ? ShardTable::kAlone : random() % numbers);
    if (round % 2 == 0) std::ranges::sort(shard_of);
    const ShardTable shards(n, [&](uint64_t record) { return shard_of[record]; });
    const uint64_t window = 1 + random() % 9;
    const uint64_t seed = random();
    const WindowOrder order(shards, window, seed);
    std::vector<uint64_t> expected;
    for (const std::vector<uint64_t>& group : Model(shards, window, seed, 3)) {
      EXPECT_FALSE(group.empty());
      expected.insert(expected.end(), group.begin(), group.end());
    }
    ASSERT_EQ(Epoch(order, 3), expected) << n << " records, window " << window;
    std::ranges::sort(expected);
    for (uint64_t i = 0; i < n; ++i) ASSERT_EQ(expected[i], i) << "each record once";
  }
}

TEST(WindowOrder, AnyPlaceMayBeAskedForAtAnyTime) {
  const WindowOrder order(InOrder({7, 1, 30, 12, 9, 4, 22}), 3, 5);
  const std::vector<std::vector<uint64_t>> epochs = {Epoch(order, 0), Epoch(order, 1)};
  WindowWalk walk(order);
  std::mt19937_64 random(2);
  for (int i = 0; i < 2000; ++i) {
    const uint64_t epoch = random() % 2;
    const uint64_t position = random() % 85;
    ASSERT_EQ(walk.At(epoch, position), epochs[epoch][position]);
    if (i % 20 != 0) continue;
    ASSERT_EQ(order.At(epoch, position), epochs[epoch][position]);
  }
}

TEST(WindowOrder, NoMoreThanAWindowOfShardsIsOpen) {
  for (const uint64_t window : {1, 2, 5, 16, 100}) {
    const WindowOrder order(InOrder(std::vector<uint64_t>(53, 20)), window, 9);
    EXPECT_EQ(order.groups(), (53 + window - 1) / window);
    const std::vector<uint64_t> records = Epoch(order, 4);
    // A shard is open from its first record to its last.
    std::map<uint64_t, std::pair<uint64_t, uint64_t>> span;
    for (uint64_t i = 0; i < records.size(); ++i) {
      const auto [at, fresh] = span.try_emplace(records[i] / 20, i, i);
      at->second.second = i;
    }
    uint64_t most = 0;
    for (uint64_t i = 0; i < records.size(); ++i) {
      most =
          std::max<uint64_t>(most, static_cast<uint64_t>(std::ranges::count_if(span, [&](const auto& each) {
                               return each.second.first <= i && i <= each.second.second;
                             })));
    }
    EXPECT_LE(most, window);
    EXPECT_GE(most, std::min<uint64_t>(window, 53) / 2) << "and they are mixed among each other";
  }
}

TEST(WindowOrder, GroupsAreEquallyLarge) {
  const WindowOrder order(InOrder(std::vector<uint64_t>(17, 3)), 16, 0);  // 9 and 8 shards, not 16 and 1
  const std::vector<uint64_t> records = Epoch(order, 0);
  std::set<uint64_t> first;
  for (size_t i = 0; i < 24; ++i) first.insert(records[i] / 3);
  EXPECT_EQ(first.size(), 8u);
}

TEST(WindowOrder, DependsOnSeedAndEpoch) {
  const ShardTable shards = InOrder(std::vector<uint64_t>(40, 25));
  const std::vector<uint64_t> one = Epoch(WindowOrder(shards, 4, 1), 0);
  for (const std::vector<uint64_t>& other :
       {Epoch(WindowOrder(shards, 4, 2), 0), Epoch(WindowOrder(shards, 4, 1), 1),
        Epoch(WindowOrder(shards, 5, 1), 0)}) {
    int same = 0;
    for (size_t i = 0; i < one.size(); ++i) same += one[i] == other[i];
    EXPECT_LT(same, 30);
  }
}

// Each record at each place of the epoch: shards are permuted, and their records within the group.
TEST(WindowOrder, EveryRecordIsEquallyLikelyAtEveryPosition) {
  constexpr uint64_t kRecords = 24;
  const WindowOrder order(InOrder({4, 4, 4, 4, 4, 4}), 2, 11);
  std::vector<uint64_t> counts(kRecords * kRecords);
  constexpr uint64_t kEpochs = 20000;
  for (uint64_t epoch = 0; epoch < kEpochs; ++epoch) {
    const std::vector<uint64_t> records = Epoch(order, epoch);
    for (uint64_t i = 0; i < kRecords; ++i) ++counts[i * kRecords + records[i]];
  }
  const double expected = static_cast<double>(kEpochs) / kRecords;
  double chi_square = 0;
  for (const uint64_t count : counts)
    chi_square += std::pow(static_cast<double>(count) - expected, 2) / expected;
  // Rows and columns each have the same sum: 23 * 23 degrees of freedom.
  EXPECT_LT(std::abs(chi_square - 529) / std::sqrt(2 * 529.0), 5);
}

// A state saved years ago must give the rest of its epoch: these values never change.
TEST(WindowOrder, IsPinnedForever) {
  const WindowOrder order(InOrder({3, 5, 2, 6, 4}), 2, 42);
  EXPECT_EQ(Epoch(order, 7),
            (std::vector<uint64_t>{9, 8, 12, 15, 14, 0, 1, 11, 2, 10, 13, 16, 4, 3, 6, 7, 18, 17, 5, 19}));
}

TEST(WindowOrder, ChecksItsArguments) {
  EXPECT_THROW(WindowOrder(InOrder({1}), 0, 1), Error);
  EXPECT_EQ(Epoch(WindowOrder(InOrder({1}), 1, 1), 0), std::vector<uint64_t>{0});
}

}  // namespace
}  // namespace bucketline
