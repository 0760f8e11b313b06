#include "bucketline/sampler/mix.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/random.h"
#include "bucketline/sampler/permutation.h"

namespace bucketline {
namespace {

// The rule, as a walk with arrays from the first position on.
class Model {
 public:
  Model(std::vector<MixPart> parts, uint64_t seed) : parts_(std::move(parts)), seed_(seed) {
    for (size_t i = 0; i < parts_.size(); ++i) slots_.insert(slots_.end(), parts_[i].weight, i);
  }

  // The records of the next round, part by part: in which order they come is the round's affair.
  std::vector<std::vector<uint64_t>> NextRound() {
    std::vector<std::vector<uint64_t>> drawn(parts_.size());
    for (const size_t part : slots_) drawn[part].push_back(Draw(part));
    return drawn;
  }

  size_t PartOf(uint64_t record) const {
    size_t part = 0;
    while (record >= parts_[part].records) record -= parts_[part++].records;
    return part;
  }

 private:
  uint64_t Draw(size_t part) {
    std::vector<uint64_t>& queue = queues_[part];
    if (queue.empty()) {
      const uint64_t count = parts_[part].records;
      const Permutation order(count, Mix64(seed_ ^ 0x6d69782d7265636full) + part + 1, passes_[part]++);
      for (uint64_t i = count; i > 0; --i) queue.push_back(order.At(i - 1));
    }
    const uint64_t record = queue.back();
    queue.pop_back();
    uint64_t first = 0;
    for (size_t i = 0; i < part; ++i) first += parts_[i].records;
    return first + record;
  }

  std::vector<MixPart> parts_;
  uint64_t seed_;
  std::vector<size_t> slots_;
  std::map<size_t, std::vector<uint64_t>> queues_;
  std::map<size_t, uint64_t> passes_;
};

using Parts = std::vector<MixPart>;

class MixOf : public ::testing::TestWithParam<Parts> {};

TEST_P(MixOf, EveryRoundHasWhatTheModelDraws) {
  const Parts& parts = GetParam();
  const uint64_t slots = std::accumulate(parts.begin(), parts.end(), uint64_t{0},
                                         [](uint64_t sum, const MixPart& part) { return sum + part.weight; });
  for (const uint64_t epoch_size : {uint64_t{1}, uint64_t{7}, slots, 10 * slots + 3}) {
    const Mix mix(parts, epoch_size, 5);
    Model model(parts, 5);
    uint64_t position = 0;
    for (int round = 0; round < 60; ++round) {
      std::vector<std::vector<uint64_t>> drawn(parts.size());
      for (uint64_t i = 0; i < slots; ++i, ++position) {
        const uint64_t record = mix.At(position / epoch_size, position % epoch_size);
        drawn[model.PartOf(record)].push_back(record);
      }
      std::vector<std::vector<uint64_t>> expected = model.NextRound();
      for (size_t part = 0; part < parts.size(); ++part) {
        std::ranges::sort(drawn[part]);
        std::ranges::sort(expected[part]);
      }
      ASSERT_EQ(drawn, expected) << "round " << round << ", epochs of " << epoch_size;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Several, MixOf,
                         ::testing::Values(Parts{{10, 1}}, Parts{{10, 3}, {4, 1}}, Parts{{1, 1}, {1, 1}},
                                           Parts{{3, 7}, {50, 2}, {8, 1}}, Parts{{100, 1}, {1, 20}}));

TEST(Mix, PartsTakeTurnsInAnOrderOfTheirOwn) {
  const Mix mix({{100, 3}, {100, 1}}, 4000, 1);
  std::set<std::vector<bool>> orders;
  for (uint64_t position = 0; position < 4000; position += 4) {
    std::vector<bool> order;
    for (uint64_t i = 0; i < 4; ++i) order.push_back(mix.At(2, position + i) < 100);
    EXPECT_EQ(std::ranges::count(order, true), 3);
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 4u);
}

TEST(Mix, APartComesInAnotherOrderEachTime) {
  const Mix mix({{20, 1}, {20, 1}}, 40, 1);
  std::set<std::vector<uint64_t>> orders;
  for (uint64_t epoch = 0; epoch < 10; ++epoch) {
    std::vector<std::vector<uint64_t>> drawn(2);
    for (uint64_t position = 0; position < 40; ++position) {
      const uint64_t record = mix.At(epoch, position);
      drawn[record / 20].push_back(record % 20);
    }
    orders.insert(drawn.begin(), drawn.end());
  }
  EXPECT_EQ(orders.size(), 20u);
}

TEST(Mix, DependsOnTheSeed) {
  const Mix one({{1000, 2}, {1000, 1}}, 3000, 1);
  const Mix two({{1000, 2}, {1000, 1}}, 3000, 2);
  int same = 0;
  for (uint64_t position = 0; position < 3000; ++position) same += one.At(0, position) == two.At(0, position);
  EXPECT_LT(same, 30);
}

TEST(Mix, IsTheSameInEveryVersion) {
  const Mix mix({{30, 3}, {10, 1}}, 40, 12);
  std::vector<uint64_t> records;
  for (uint64_t position = 0; position < 8; ++position) records.push_back(mix.At(2, position));
  EXPECT_EQ(records, (std::vector<uint64_t>{27, 37, 20, 0, 4, 9, 30, 25}));
}

TEST(Mix, FingerprintsTellPartsApart) {
  const std::vector<Parts> mixes = {{{10, 1}}, {{10, 2}}, {{2, 10}}, {{10, 1}, {10, 2}}, {{10, 2}, {10, 1}}};
  std::set<uint64_t> prints = {0};
  for (const Parts& parts : mixes) prints.insert(Mix(parts, 10, 1).fingerprint());
  EXPECT_EQ(prints.size(), mixes.size() + 1);
  EXPECT_EQ(Mix(mixes[3], 10, 1).fingerprint(), Mix(mixes[3], 20, 2).fingerprint());
}

TEST(Mix, ChecksItsArguments) {
  EXPECT_THROW(Mix({}, 10, 1), Error);
  EXPECT_THROW(Mix({{0, 1}}, 10, 1), Error);
  EXPECT_THROW(Mix({{5, 0}}, 10, 1), Error);
  EXPECT_THROW(Mix({{5, 1}}, 0, 1), Error);
  EXPECT_THROW(Mix({{5, 1}, {5, Mix::kMaxWeights}}, 10, 1), Error);
  EXPECT_NO_THROW(Mix({{5, 1}, {5, Mix::kMaxWeights - 1}}, 10, 1));
}

}  // namespace
}  // namespace bucketline
