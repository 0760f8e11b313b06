#include "bucketline/channel/fifo.h"

#include <chrono>
#include <filesystem>
#include <future>
#include <stop_token>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/channel/fifo_writer.h"
#include "bucketline/channel/pipe_testing.h"
#include "bucketline/store/stop_event.h"

namespace bucketline {
namespace {

using testing::ErrorOf;
using testing::IsFifo;
using testing::PipeReader;
using testing::TempFolder;
using State = FifoWriter::State;
using Kind = PipeReader::Kind;

std::span<const uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class FifoTest : public ::testing::Test {
 protected:
  FifoTest() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  ~FifoTest() override {
    const timespec now{0, 0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigtimedwait(&set, nullptr, &now);  // one that is pending must not end the next test
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  FifoWriter Writer(Fifo& fifo) {
    return {fifo.TakeWriting(), stopping_.fd(), [this](uint64_t bytes) { written_ += bytes; }, fifo.path()};
  }

  sigset_t before_;
  TempFolder folder_;
  const std::string path_ = folder_.Path("a_0");
  std::stop_source stop_;
  StopEvent stopping_{stop_.get_token()};
  uint64_t written_ = 0;
};

TEST_F(FifoTest, TheLossOfItsNameIsNoReader) {
  Fifo fifo(path_);
  std::filesystem::remove(path_);
  std::future<bool> came = std::async(std::launch::async, [&] { return fifo.AwaitReader(stopping_.fd()); });
  EXPECT_EQ(came.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  stop_.request_stop();
  EXPECT_FALSE(came.get());
}

TEST_F(FifoTest, IsThereAloneAndGoesWithItsOwner) {
  {
    const Fifo fifo(path_);
    EXPECT_TRUE(IsFifo(path_));
    EXPECT_EQ(testing::CountIn(folder_.path().c_str()), 1u);
  }
  EXPECT_EQ(testing::CountIn(folder_.path().c_str()), 0u);
}

TEST_F(FifoTest, NeverReplacesWhatIsThere) {
  const Fifo first(path_);
  EXPECT_EQ(ErrorOf([&] { Fifo second(path_); }).code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(testing::CountIn(folder_.path().c_str()), 1u);
}

TEST_F(FifoTest, TellsOfAReaderEvenWhenItHasGone) {
  Fifo fifo(path_);
  {
    const PipeReader reader(path_, Kind::kNonBlocking);
  }
  EXPECT_TRUE(fifo.AwaitReader(stopping_.fd()));
  FifoWriter writer = Writer(fifo);
  EXPECT_EQ(writer.Look(), State::kReaderGone);
}

TEST_F(FifoTest, WaitingForAReaderEndsWithTheStop) {
  Fifo fifo(path_);
  stop_.request_stop();
  EXPECT_FALSE(fifo.AwaitReader(stopping_.fd()));
}

TEST_F(FifoTest, AReaderGetsWhatIsWrittenAndThenTheEnd) {
  Fifo fifo(path_);
  PipeReader reader(path_, Kind::kBlocking);
  {
    FifoWriter writer = Writer(fifo);
    writer.Write(AsBytes("small"));
    EXPECT_EQ(written_, 0u);  // it waits for more
    EXPECT_FALSE(testing::PollFor(reader.fd(), POLLIN, std::chrono::milliseconds(0)));
    writer.Flush();
    EXPECT_EQ(reader.Read(5), "small");
    writer.Write(AsBytes("more"));
    writer.Flush();
    EXPECT_EQ(written_, 9u);
    EXPECT_EQ(writer.state(), State::kOpen);
  }
  EXPECT_EQ(reader.ReadAll(), "more");
}

TEST_F(FifoTest, WhatIsLargeGoesAfterWhatIsSmall) {
  Fifo fifo(path_);
  PipeReader reader(path_, Kind::kBlocking);
  const std::string large = testing::Ramp(3'000'000, 1);
  std::jthread writing([&] {
    FifoWriter writer = Writer(fifo);
    writer.Write(AsBytes("one"));
    writer.Write(AsBytes(large));
    writer.Write(AsBytes("two"));
    writer.Flush();
  });
  EXPECT_EQ(reader.ReadAll(), "one" + large + "two");
}

TEST_F(FifoTest, WithoutAReaderBytesAreDropped) {
  Fifo fifo(path_);
  PipeReader reader(path_, Kind::kBlocking);
  FifoWriter writer = Writer(fifo);
  reader.Close();
  writer.Write(AsBytes(std::string(100'000, 'x')));
  EXPECT_EQ(writer.state(), State::kReaderGone);
  writer.Write(AsBytes("y"));
  writer.Flush();
  EXPECT_EQ(written_, 0u);
}

TEST_F(FifoTest, WaitingForRoomEndsWithTheStopOrTheReader) {
  const std::string large(3'000'000, 'x');
  for (const bool stops : {false, true}) {
    Fifo fifo(path_);
    PipeReader reader(path_, Kind::kBlocking);
    FifoWriter writer = Writer(fifo);
    std::jthread ending([&] {
      EXPECT_TRUE(testing::PollFor(reader.fd(), POLLIN));
      if (stops) stop_.request_stop();
      if (!stops) reader.Close();
    });
    writer.Write(AsBytes(large));
    EXPECT_EQ(writer.state(), stops ? State::kStopped : State::kReaderGone);
  }
}

TEST_F(FifoTest, HoldingShowsTheReaderNoEnd) {
  Fifo fifo(path_);
  PipeReader reader(path_, Kind::kNonBlocking);
  FifoWriter writer = Writer(fifo);
  std::jthread holding([&] { writer.Hold(); });
  EXPECT_FALSE(testing::PollFor(reader.fd(), POLLIN, std::chrono::milliseconds(10)));
  reader.Close();
  holding.join();
  EXPECT_EQ(writer.state(), State::kReaderGone);
}

}  // namespace
}  // namespace bucketline
