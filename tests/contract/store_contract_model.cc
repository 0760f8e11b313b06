// Random operations against a map: what no single case thinks of; and those that once showed a difference.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "tests/contract/store_contract.h"
#include "tests/contract/store_operations.h"

namespace bucketline::testing {
namespace {

// What this store is declared to do; the folder of a file store exists from here on.
std::vector<StoreOperation> Suited(const StoreFixture& fixture, std::vector<StoreOperation> operations) {
  for (StoreOperation& operation : operations) {
    if (!fixture.supports_start_after) operation.start_after.clear();
    if (!fixture.supports_pages_of_one && operation.kind == StoreOperation::Kind::kList)
      operation.size = std::max<uint64_t>(operation.size, 2);
    if (!fixture.supports_if_absent && operation.kind == StoreOperation::Kind::kPutNew)
      operation.kind = StoreOperation::Kind::kPut;
  }
  operations.insert(operations.begin(), {{.kind = StoreOperation::Kind::kPut, .key = "f"},
                                         {.kind = StoreOperation::Kind::kDelete, .key = "f"}});
  return operations;
}

std::string DifferenceOnANewStore(const StoreFixture& fixture,
                                  const std::vector<StoreOperation>& operations) {
  const LiveStore live = fixture.make();
  return FindDifference(*live.store, Suited(fixture, operations));
}

TEST_P(StoreContract, BehavesLikeAMap) {
  // BUCKETLINE_TEST_SEED repeats a failed run.
  const char* given = std::getenv("BUCKETLINE_TEST_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  CounterRng random(seed, 0, 0);
  std::vector<StoreOperation> operations;
  for (int i = 0; i < fixture().model_operations; ++i) {
    operations.push_back(RandomOperation(random));
  }
  const std::string difference = FindDifference(store(), Suited(fixture(), operations));
  if (difference.empty()) return;
  const auto shortest = Shrink(operations, [&](const std::vector<StoreOperation>& fewer) {
    return !DifferenceOnANewStore(fixture(), fewer).empty();
  });
  FAIL() << "seed " << seed << ", " << difference << "\nShortest, to be kept in tests/regressions/store:\n"
         << ToText(shortest) << DifferenceOnANewStore(fixture(), shortest);
}

TEST_P(StoreContract, WhatOnceDifferedDoesNotAnyMore) {
  size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(BUCKETLINE_STORE_REGRESSIONS)) {
    std::ifstream stream(file.path());
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    ++files;
    EXPECT_EQ(DifferenceOnANewStore(fixture(), ParseOperations(text)), "") << file.path().filename();
  }
  EXPECT_GT(files, 0u);
}

}  // namespace
}  // namespace bucketline::testing
