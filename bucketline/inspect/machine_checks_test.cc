#include "bucketline/inspect/machine_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bucketline {
namespace {

using Status = DoctorCheck::Status;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr const char* kMeminfo = "MemTotal:       16384 kB\nMemFree: 1 kB\nMemAvailable:    8192 kB\n";

TEST(MachineChecksTest, OpenFilesMustCoverTheConnections) {
  EXPECT_EQ(JudgeOpenFiles(1024, 128).status, Status::kGood);
  EXPECT_EQ(JudgeOpenFiles(384, 128).status, Status::kGood);
  const DoctorCheck check = JudgeOpenFiles(383, 128);
  EXPECT_EQ(check.status, Status::kFailed);
  EXPECT_THAT(check.advice, AllOf(HasSubstr("ulimit -n 4096"), HasSubstr("--connections")));
  EXPECT_THAT(JudgeOpenFiles(4096, 10000).advice, HasSubstr("ulimit -n 10256"));
}

TEST(MachineChecksTest, MemoryIsTheMachinesOrTheControlGroups) {
  const MemoryState machine = ParseMemory(kMeminfo, "", "");
  EXPECT_EQ(machine.total, 16384u << 10);
  EXPECT_EQ(machine.available, 8192u << 10);
  EXPECT_EQ(ParseMemory(kMeminfo, "max\n", "4096\n").available, 8192u << 10);
  const MemoryState group = ParseMemory(kMeminfo, "1048576\n", "1000000\n");
  EXPECT_EQ(group.total, 1048576u);
  EXPECT_EQ(group.available, 48576u);
  EXPECT_EQ(ParseMemory(kMeminfo, "1000\n", "2000\n").available, 0u);
  EXPECT_EQ(ParseMemory("nonsense", "", "").total, 0u);
}

TEST(MachineChecksTest, LittleMemoryIsAWarning) {
  EXPECT_EQ(JudgeMemory({4 * kGiB, 2 * kGiB}).status, Status::kGood);
  const DoctorCheck check = JudgeMemory({4 * kGiB, kGiB / 2});
  EXPECT_EQ(check.status, Status::kWarning);
  EXPECT_THAT(check.advice, HasSubstr("--memory"));
}

TEST(MachineChecksTest, ThisMachineHasBoth) {
  EXPECT_THAT(CheckOpenFiles(1).value, HasSubstr("at most "));
  EXPECT_THAT(CheckMemory().value, HasSubstr("available"));
}

}  // namespace
}  // namespace bucketline
