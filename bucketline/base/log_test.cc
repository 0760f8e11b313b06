#include "bucketline/base/log.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

TEST(Log, LevelsHaveNames) {
  EXPECT_EQ(LogLevelName(LogLevel::kDebug), "debug");
  EXPECT_EQ(LogLevelName(LogLevel::kInfo), "info");
  EXPECT_EQ(LogLevelName(LogLevel::kWarning), "warning");
  EXPECT_EQ(LogLevelName(LogLevel::kError), "error");
}

TEST(LogToStderr, WritesLinesAtOrAboveItsMinimum) {
  CaptureStderr();
  const LogSink sink = LogToStderr(LogLevel::kInfo);
  sink(LogLevel::kDebug, "no");
  sink(LogLevel::kInfo, "one");
  sink(LogLevel::kError, "two {}");
  EXPECT_EQ(GetCapturedStderr(), "bucketline info: one\nbucketline error: two {}\n");
}

TEST(LogToStderr, StartsAtWarningsUnlessTold) {
  CaptureStderr();
  const LogSink sink = LogToStderr();
  sink(LogLevel::kInfo, "no");
  sink(LogLevel::kWarning, "yes");
  EXPECT_EQ(GetCapturedStderr(), "bucketline warning: yes\n");
}

TEST(LogToStderr, DoesNotMixTheLinesOfThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 100;
  CaptureStderr();
  {
    const LogSink sink = LogToStderr();
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) sink(LogLevel::kError, std::string(200, 'x'));
      });
    }
  }
  const std::string line = "bucketline error: " + std::string(200, 'x') + "\n";
  std::string expected;
  for (int i = 0; i < kThreads * kEach; ++i) expected += line;
  EXPECT_EQ(GetCapturedStderr(), expected);
}

TEST(LogToNowhere, WritesNothing) {
  CaptureStderr();
  LogToNowhere()(LogLevel::kError, "lost");
  EXPECT_EQ(GetCapturedStderr(), "");
}

}  // namespace
}  // namespace bucketline
