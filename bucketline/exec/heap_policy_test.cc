#include "bucketline/exec/heap_policy.h"

#include <cstdlib>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace bucketline {
namespace {

constexpr size_t kBlocks = 16;
constexpr size_t kBlock = size_t{3} << 20;

// Fills as a training step does, and frees it all. The pages that were fetched for it.
long FillAndFree() {
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  std::vector<std::unique_ptr<char[]>> blocks;
  for (size_t i = 0; i < kBlocks; ++i) {
    blocks.push_back(std::make_unique_for_overwrite<char[]>(kBlock));
    for (size_t at = 0; at < kBlock; at += 4096) blocks.back()[at] = 1;
  }
  blocks.clear();
  getrusage(RUSAGE_SELF, &after);
  return after.ru_minflt - before.ru_minflt;
}

// In a process of its own, as the policy is the process's.
TEST(HeapPolicyTest, WhatWasFreedIsUsedAgain) {
#if defined(BUCKETLINE_ADDRESS_SANITIZER) || defined(BUCKETLINE_THREAD_SANITIZER) || !defined(__GLIBC__)
  GTEST_SKIP() << "malloc is not glibc's";
#endif
  const auto used_again = [] {
    for (int round = 0; round < 3; ++round) FillAndFree();
    return FillAndFree() < static_cast<long>(kBlocks * kBlock / 4096 / 10);
  };
  EXPECT_EXIT(_exit(used_again() ? 0 : 1), ::testing::ExitedWithCode(1), "");
  EXPECT_EXIT(
      {
        KeepFreedMemory();
        _exit(used_again() ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(HeapPolicyTest, TheUsersChoiceStands) {
#if defined(BUCKETLINE_ADDRESS_SANITIZER) || defined(BUCKETLINE_THREAD_SANITIZER) || !defined(__GLIBC__)
  GTEST_SKIP() << "malloc is not glibc's";
#endif
  EXPECT_EXIT(
      {
        setenv("MALLOC_TRIM_THRESHOLD_", "131072", 1);  // too late for malloc, which has its own default
        KeepFreedMemory();
        for (int round = 0; round < 3; ++round) FillAndFree();
        _exit(FillAndFree() > static_cast<long>(kBlocks * kBlock / 4096 / 2) ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace bucketline
