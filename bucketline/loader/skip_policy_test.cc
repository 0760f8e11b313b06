#include "bucketline/loader/skip_policy.h"

#include <set>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

TEST(SkipPolicy, OnlyFaultsOfTheBytesCount) {
  EXPECT_TRUE(IsFaultOfBytes(Error(ErrorCode::kCorruptData, "")));
  EXPECT_TRUE(IsFaultOfBytes(Error(ErrorCode::kResourceExhausted, "")));
  for (const ErrorCode code :
       {ErrorCode::kInvalidArgument, ErrorCode::kNotFound, ErrorCode::kPermissionDenied,
        ErrorCode::kObjectChanged, ErrorCode::kConnection, ErrorCode::kTimeout, ErrorCode::kCancelled,
        ErrorCode::kInternal}) {
    EXPECT_FALSE(IsFaultOfBytes(Error(code, ""))) << ErrorCodeName(code);
  }
}

TEST(SkipPolicy, ReplacementsDependOnEverythingTheyShould) {
  const uint64_t n = 1'000'000;
  const uint64_t base = ReplacementRecord(1, 2, 3, 0, n);
  EXPECT_EQ(base, ReplacementRecord(1, 2, 3, 0, n));
  EXPECT_NE(base, ReplacementRecord(2, 2, 3, 0, n));
  EXPECT_NE(base, ReplacementRecord(1, 3, 3, 0, n));
  EXPECT_NE(base, ReplacementRecord(1, 2, 4, 0, n));
  std::set<uint64_t> draws;
  for (int attempt = 0; attempt < kReplacementTries; ++attempt)
    draws.insert(ReplacementRecord(1, 2, 3, attempt, n));
  EXPECT_EQ(draws.size(), static_cast<size_t>(kReplacementTries));
}

TEST(SkipPolicy, ReplacementsLieWithinAndSpread) {
  std::set<uint64_t> records;
  for (uint64_t position = 0; position < 200; ++position) {
    const uint64_t record = ReplacementRecord(0, 0, position, 0, 10);
    ASSERT_LT(record, 10u);
    records.insert(record);
  }
  EXPECT_EQ(records.size(), 10u);
  EXPECT_EQ(ReplacementRecord(5, 6, 7, 3, 1), 0u);
}

TEST(SkipPolicy, ReplacementsAreThoseOfSavedRuns) {
  // Changing these changes what a resumed run sees.
  EXPECT_EQ(ReplacementRecord(0, 0, 0, 0, 1'000'000'007), 817021690u);
  EXPECT_EQ(ReplacementRecord(42, 7, 123456, 7, 1'000'000'007), 319721205u);
}

TEST(SkipPolicy, AllowanceIsTheShareOfARanksPart) {
  EXPECT_EQ(SkipAllowance(0.01, 1000, 1), 10u);
  EXPECT_EQ(SkipAllowance(0.01, 1000, 4), 2u);
  EXPECT_EQ(SkipAllowance(0.29, 100, 1), 29u);
  EXPECT_EQ(SkipAllowance(0.01, 99, 1), 0u);
  EXPECT_EQ(SkipAllowance(0, 1000, 1), 0u);
  EXPECT_EQ(SkipAllowance(1, 1000, 1), 1000u);
}

}  // namespace
}  // namespace bucketline
