#include "bucketline/inspect/proc_file.h"

#include <gtest/gtest.h>

namespace bucketline {
namespace {

TEST(ProcFile, FindsTheBytesOfALine) {
  const char* text = "Name:\tbench\nVmPeak:\t  900 kB\nVmHWM:\t  12 kB\nVmRSS:\n";
  EXPECT_EQ(ProcBytes(text, "VmHWM:"), 12u << 10);
  EXPECT_EQ(ProcBytes(text, "VmPeak:"), 900u << 10);
  EXPECT_EQ(ProcBytes(text, "VmRSS:"), 0u);
  EXPECT_EQ(ProcBytes(text, "RssAnon:"), 0u);
}

TEST(ProcFile, ReadsThisProcess) {
  const std::string status = ReadProcFile("/proc/self/status");
  EXPECT_GT(ProcBytes(status, "VmHWM:"), 1u << 20);
  EXPECT_GE(ProcBytes(status, "VmPeak:"), ProcBytes(status, "VmHWM:"));
  EXPECT_EQ(ReadProcFile("/proc/self/no such file"), "");
}

}  // namespace
}  // namespace bucketline
