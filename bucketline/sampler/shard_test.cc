#include "bucketline/sampler/shard.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

// What one rank's batch holds, written out.
struct ModelBatch {
  std::vector<uint64_t> valid;
  std::vector<uint64_t> padded;
  bool operator==(const ModelBatch&) const = default;
};

// The rule of steps and ranks, dealt one position at a time. model[step][rank]
std::vector<std::vector<ModelBatch>> Deal(const Shard& shard) {
  std::vector<std::vector<ModelBatch>> steps;
  uint64_t next = shard.start;
  while (shard.n - next >= shard.world * shard.batch) {
    steps.emplace_back(shard.world);
    for (ModelBatch& batch : steps.back()) {
      while (batch.valid.size() < shard.batch) batch.valid.push_back(next++);
    }
  }
  if (next == shard.n || shard.last == LastPolicy::kDrop) return steps;
  steps.emplace_back(shard.world);
  if (shard.last == LastPolicy::kPad) {
    uint64_t refill = 0;
    for (ModelBatch& batch : steps.back()) {
      while (batch.valid.size() + batch.padded.size() < shard.batch) {
        if (next < shard.n) {
          batch.valid.push_back(next++);
        } else {
          batch.padded.push_back(refill++ % shard.n);
        }
      }
    }
    return steps;
  }
  std::vector<uint64_t> rows(shard.world);
  for (uint64_t position = next; position < shard.n; ++position) ++rows[(position - next) % shard.world];
  for (uint64_t rank = 0; rank < shard.world; ++rank) {
    ModelBatch& batch = steps.back()[rank];
    while (batch.valid.size() < rows[rank]) batch.valid.push_back(next++);
    if (batch.valid.empty()) batch.padded.push_back(0);
  }
  return steps;
}

ModelBatch Expand(const StepSlice& slice, uint64_t n) {
  ModelBatch batch;
  for (uint64_t i = 0; i < slice.valid; ++i) batch.valid.push_back((slice.first + i) % n);
  for (uint64_t i = 0; i < slice.padded; ++i) batch.padded.push_back((slice.first + slice.valid + i) % n);
  return batch;
}

std::string Describe(const Shard& shard) {
  return "n " + std::to_string(shard.n) + " start " + std::to_string(shard.start) + " batch " +
         std::to_string(shard.batch) + " world " + std::to_string(shard.world) + " last " +
         std::to_string(static_cast<int>(shard.last));
}

Shard RandomShard(std::mt19937_64& random) {
  constexpr LastPolicy kPolicies[] = {LastPolicy::kDrop, LastPolicy::kPartial, LastPolicy::kPad};
  Shard shard;
  shard.n = random() % 200;
  shard.start = random() % 3 == 0 ? 0 : random() % (shard.n + 1);
  shard.batch = 1 + random() % 17;
  shard.world = 1 + random() % 9;
  shard.last = kPolicies[random() % 3];
  return shard;
}

TEST(Shard, AgreesWithDealingOneByOne) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 6000; ++i) {
    Shard shard = RandomShard(random);
    const auto model = Deal(shard);
    for (shard.rank = 0; shard.rank < shard.world; ++shard.rank) {
      shard.Validate();
      ASSERT_EQ(shard.Steps(), model.size()) << Describe(shard) << " rank " << shard.rank;
      for (uint64_t step = 0; step < model.size(); ++step) {
        const StepSlice slice = shard.At(step);
        ASSERT_LT(slice.first, shard.n);
        ASSERT_GE(slice.valid + slice.padded, 1u) << Describe(shard);
        ASSERT_EQ(Expand(slice, shard.n), model[step][shard.rank])
            << Describe(shard) << " rank " << shard.rank << " step " << step;
      }
    }
  }
}

TEST(Shard, RanksAreDisjointAndCover) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 3000; ++i) {
    Shard shard = RandomShard(random);
    std::vector<int> seen(shard.n);
    for (shard.rank = 0; shard.rank < shard.world; ++shard.rank) {
      for (uint64_t step = 0; step < shard.Steps(); ++step) {
        for (const uint64_t position : Expand(shard.At(step), shard.n).valid) ++seen[position];
      }
    }
    const uint64_t global = shard.world * shard.batch;
    const uint64_t end =
        shard.last == LastPolicy::kDrop ? shard.start + (shard.n - shard.start) / global * global : shard.n;
    for (uint64_t position = 0; position < shard.n; ++position) {
      ASSERT_EQ(seen[position], position >= shard.start && position < end ? 1 : 0)
          << Describe(shard) << " position " << position;
    }
  }
}

TEST(Shard, PositionAfterIsWhereNothingIsConsumed) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 3000; ++i) {
    const Shard shard = RandomShard(random);
    const auto model = Deal(shard);
    uint64_t consumed = shard.start;
    for (uint64_t steps = 0; steps < model.size(); ++steps) {
      ASSERT_EQ(shard.PositionAfter(steps), consumed) << Describe(shard) << " steps " << steps;
      for (const ModelBatch& batch : model[steps]) consumed += batch.valid.size();
    }
    ASSERT_EQ(shard.PositionAfter(model.size()), shard.n) << Describe(shard);
    ASSERT_EQ(shard.PositionAfter(model.size() + 7), shard.n) << Describe(shard);
  }
}

// A job is stopped after some step on each of several worlds and goes on with another: exactly once over
// valid rows.
TEST(Shard, ElasticRestartsSeeEveryPositionOnce) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 2000; ++i) {
    Shard shard = RandomShard(random);
    shard.start = 0;
    shard.last = random() % 2 == 0 ? LastPolicy::kPartial : LastPolicy::kPad;
    std::vector<int> seen(shard.n);
    while (shard.start < shard.n) {
      const uint64_t steps = random() % (shard.Steps() + 1);
      for (shard.rank = 0; shard.rank < shard.world; ++shard.rank) {
        for (uint64_t step = 0; step < steps; ++step) {
          for (const uint64_t position : Expand(shard.At(step), shard.n).valid) ++seen[position];
        }
      }
      shard.start = shard.PositionAfter(steps);
      shard.world = 1 + random() % 9;
      shard.batch = 1 + random() % 17;
    }
    ASSERT_THAT(seen, ::testing::Each(1));
  }
}

TEST(Shard, PartialTailIsEvenAndEmptyRanksGetOnePaddedRow) {
  Shard shard{.n = 13, .batch = 4, .world = 3, .last = LastPolicy::kPartial};
  ASSERT_EQ(shard.Steps(), 2u);
  EXPECT_EQ(Expand(shard.At(1), 13), (ModelBatch{{12}, {}}));
  shard.rank = 1;
  EXPECT_EQ(Expand(shard.At(1), 13), (ModelBatch{{}, {0}}));
  shard.n = 20;
  EXPECT_EQ(Expand(shard.At(1), 20), (ModelBatch{{15, 16, 17}, {}}));
  shard.rank = 2;
  EXPECT_EQ(Expand(shard.At(1), 20), (ModelBatch{{18, 19}, {}}));
}

TEST(Shard, PadWrapsAsOftenAsNeeded) {
  const Shard shard{.n = 3, .start = 2, .batch = 4, .world = 2, .rank = 1, .last = LastPolicy::kPad};
  ASSERT_EQ(shard.Steps(), 1u);
  EXPECT_EQ(Expand(shard.At(0), 3), (ModelBatch{{}, {0, 1, 2, 0}}));
}

TEST(Shard, NothingLeftIsNoStep) {
  for (const LastPolicy last : {LastPolicy::kDrop, LastPolicy::kPartial, LastPolicy::kPad}) {
    EXPECT_EQ((Shard{.n = 0, .batch = 4, .last = last}.Steps()), 0u);
    EXPECT_EQ((Shard{.n = 9, .start = 9, .batch = 4, .last = last}.Steps()), 0u);
    EXPECT_EQ((Shard{.n = 9, .start = 9, .batch = 4, .last = last}.PositionAfter(0)), 9u);
  }
}

TEST(Shard, LargestNumbersDoNotOverflow) {
  Shard shard{.n = Shard::kMaxPositions,
              .batch = Shard::kMaxBatch,
              .world = Shard::kMaxWorld,
              .rank = Shard::kMaxWorld - 1,
              .last = LastPolicy::kPad};
  shard.Validate();
  const uint64_t steps = shard.Steps();
  const uint64_t global = shard.batch * shard.world;
  EXPECT_EQ(steps, (shard.n + global - 1) / global);
  const StepSlice slice = shard.At(steps - 1);
  EXPECT_LT(slice.first, shard.n);
  EXPECT_EQ(slice.valid + slice.padded, Shard::kMaxBatch);
  EXPECT_EQ(shard.PositionAfter(steps - 1), (steps - 1) * global);
}

TEST(Shard, ValidateNamesTheFieldAndTheRule) {
  const auto message = [](const Shard& shard) -> std::string {
    try {
      shard.Validate();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      return error.message();
    }
    return "nothing thrown";
  };
  EXPECT_THAT(message({.n = Shard::kMaxPositions + 1}), HasSubstr("n is 4611686018427387905"));
  EXPECT_THAT(message({.n = 5, .start = 6}), HasSubstr("start is 6; it must be at most n, which is 5"));
  EXPECT_THAT(message({.n = 5, .batch = 0}), HasSubstr("batch is 0"));
  EXPECT_THAT(message({.n = 5, .batch = Shard::kMaxBatch + 1}), HasSubstr("batch is 4294967296"));
  EXPECT_THAT(message({.n = 5, .world = 0}), HasSubstr("world is 0"));
  EXPECT_THAT(message({.n = 5, .world = Shard::kMaxWorld + 1}), HasSubstr("world is 16777217"));
  EXPECT_THAT(message({.n = 5, .world = 4, .rank = 4}),
              HasSubstr("rank is 4; it must be below world, which is 4"));
}

}  // namespace
}  // namespace bucketline
