#include "bucketline/s3/child_process.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/result.h"

namespace bucketline {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ChildResult Shell(const std::string& script, Duration deadline = 120s, size_t max_output = 1 << 20) {
  return RunChild({"/bin/sh", "-c", script}, "the test's program", deadline, max_output, {});
}

TEST(ChildProcessTest, BothOutputsAndTheCodeAreTaken) {
  const ChildResult result = Shell("echo out; echo err >&2; exit 7");
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_EQ(result.exit_code, 7);
}

TEST(ChildProcessTest, ASignalIsACodeAbove128) { EXPECT_EQ(Shell("kill -TERM $$").exit_code, 128 + 15); }

TEST(ChildProcessTest, MuchOutputOnBothDoesNotBlock) {
  const ChildResult result = Shell("head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero");
  EXPECT_EQ(result.out.size(), 300000u);
  EXPECT_EQ(result.err.size(), 300000u);
}

TEST(ChildProcessTest, WithoutAProgramNothingIsRun) {
  const auto result = Catch([] { return RunChild({}, "credential_process", 1s, 1, {}); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(result.error().message(), "credential_process is empty");
}

TEST(ChildProcessTest, StandardInputIsEmpty) { EXPECT_EQ(Shell("cat; echo end").out, "end\n"); }

TEST(ChildProcessTest, SignalsAreNotBlockedInIt) {
  EXPECT_EQ(Shell("grep SigBlk /proc/self/status").out, "SigBlk:\t0000000000000000\n");
}

TEST(ChildProcessTest, TheDeadlineKillsTheWholeGroup) {
  const auto begin = std::chrono::steady_clock::now();
  const auto result = Catch([&] { return Shell("sleep 1000 & sleep 1000", 50ms); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kTimeout);
  EXPECT_THAT(result.error().message(), HasSubstr("the test's program did not end within 0.05 s"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 60s);
}

// As programs that leave an agent behind.
TEST(ChildProcessTest, AGrandchildThatKeepsThePipesIsNotWaitedFor) {
  const ChildResult result = Shell("echo out; sleep 20 & exit 0", 15s);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.exit_code, 0);
}

TEST(ChildProcessTest, OutputHasALimit) {
  const auto result = Catch([&] { return Shell("cat /dev/zero", 120s, 100'000); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kUnavailable);
}

TEST(SplitCommandLineTest, WordsAreAShells) {
  EXPECT_THAT(SplitCommandLine("  a  b\tc "), ElementsAre("a", "b", "c"));
  EXPECT_THAT(SplitCommandLine("'a b' \"c 'd'\" e\\ f \"g\\\"h\\n\" ''"),
              ElementsAre("a b", "c 'd'", "e f", "g\"h\\n", ""));
  EXPECT_THAT(SplitCommandLine("a'b'\"c\"d"), ElementsAre("abcd"));
  EXPECT_THAT(SplitCommandLine(" "), IsEmpty());
  EXPECT_THROW(SplitCommandLine("a 'b"), Error);
}

}  // namespace
}  // namespace bucketline
