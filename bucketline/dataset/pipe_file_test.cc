#include "bucketline/dataset/pipe_file.h"

#include <array>
#include <chrono>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/dataset/pipe_testing.h"

namespace bucketline {
namespace {

using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::JobFolder;
using testing::PipeWriter;

constexpr std::chrono::seconds kLong{120};
constexpr std::chrono::milliseconds kShort{50};

std::string ReadAll(PipeFile& file) {
  std::string all;
  std::array<uint8_t, 1000> buffer;
  while (const size_t got = file.Read(buffer))
    all.append(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(got));
  return all;
}

TEST(PipeFile, ReadsWhatIsWrittenToItsEnd) {
  const JobFolder job;
  const std::string text(100'000, 'x');
  const PipeWriter writer(job.Train(), {text, ""});
  PipeFile file(job.Train().Fifo(0), kLong, {});
  EXPECT_EQ(ReadAll(file), text);
  PipeFile empty(job.Train().Fifo(1), kLong, {});
  EXPECT_EQ(ReadAll(empty), "");
}

TEST(PipeFile, WaitsForItsFifo) {
  const JobFolder job;
  std::thread later([&] { mkfifo(job.Train().Fifo(0).c_str(), 0600); });
  EXPECT_NO_THROW(PipeFile(job.Train().Fifo(0), kLong, {}));
  later.join();
}

TEST(PipeFile, IsPatientForSoLongOnly) {
  const JobFolder job;
  const std::string path = job.Train().Fifo(0);
  const Error missing = ErrorOf([&] { PipeFile file(path, kShort, {}); });
  EXPECT_EQ(missing.code(), ErrorCode::kTimeout);
  EXPECT_EQ(missing.uri(), path);
  EXPECT_THAT(missing.what(), HasSubstr("not there after 0.05 s"));

  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  PipeFile file(path, kShort, {});
  const Error silent = ErrorOf([&] { ReadAll(file); });
  EXPECT_EQ(silent.code(), ErrorCode::kTimeout);
  EXPECT_EQ(silent.uri(), path);
  EXPECT_THAT(silent.what(), HasSubstr("nobody has written"));
}

TEST(PipeFile, IsNoMorePatientWithAWriterThatFallsSilent) {
  const JobFolder job;
  const std::string path = job.Train().Fifo(0);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  PipeFile file(path, kShort, {});
  const UniqueFd writer(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(write(writer.get(), "abc", 3), 3);
  const Error error = ErrorOf([&] { ReadAll(file); });
  EXPECT_EQ(error.code(), ErrorCode::kTimeout);
  EXPECT_THAT(error.what(), HasSubstr("has written nothing"));
  EXPECT_GE(file.waited(), kShort);
}

TEST(PipeFile, RefusesWhatIsNoFifo) {
  JobFolder job;
  job.folder().Put("input/data/train_0", "a file");
  const Error error = ErrorOf([&] { PipeFile file(job.Train().Fifo(0), kLong, {}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("no FIFO"));
}

TEST(PipeFile, AStopEndsEveryWait) {
  const JobFolder job;
  std::stop_source stop;
  std::thread stopper([&] { stop.request_stop(); });
  const Error missing = ErrorOf([&] { PipeFile file(job.Train().Fifo(0), kLong, stop.get_token()); });
  stopper.join();
  EXPECT_EQ(missing.code(), ErrorCode::kCancelled);

  ASSERT_EQ(mkfifo(job.Train().Fifo(0).c_str(), 0600), 0);
  std::stop_source other;
  PipeFile file(job.Train().Fifo(0), kLong, other.get_token());
  std::thread second([&] { other.request_stop(); });
  EXPECT_EQ(ErrorOf([&] { ReadAll(file); }).code(), ErrorCode::kCancelled);
  second.join();
}

}  // namespace
}  // namespace bucketline
