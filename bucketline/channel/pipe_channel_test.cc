#include "bucketline/channel/pipe_channel.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/channel/pipe_testing.h"
#include "bucketline/dataset/dataset_testing.h"

namespace bucketline {
namespace {

using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::IsFifo;
using testing::PipeChannelTest;
using testing::PipeReader;
using testing::PipeSpec;
using testing::Ramp;
using Kind = PipeReader::Kind;

class PipeChannelReaders : public PipeChannelTest, public ::testing::WithParamInterface<Kind> {};

TEST_P(PipeChannelReaders, EveryEpochIsTheObjectsBackToBack) {
  const std::string all = Fill({1, 0, 70'000, 3, 1'500'000, 12});
  const auto channel = Serve();
  EXPECT_TRUE(IsFifo(Path(0)));
  for (uint64_t epoch = 0; epoch < 4; ++epoch) {
    PipeReader reader(Path(epoch), GetParam());
    EXPECT_EQ(reader.ReadAll(), all);
    EXPECT_TRUE(IsFifo(Path(epoch + 1)));  // a reader that sees the end finds the next one at once
  }
  EXPECT_EQ(channel->bytes_served(), 4 * all.size());
}

TEST_P(PipeChannelReaders, AnEpochWithoutObjectsEndsAtOnce) {
  Fill({10});
  ChannelSpec spec = PipeSpec();
  spec.sharded = true;
  const auto channel = Serve(spec, {}, {1, 2});
  for (uint64_t epoch = 0; epoch < 3; ++epoch) EXPECT_EQ(ReadEpoch(epoch, GetParam()), "");
}

INSTANTIATE_TEST_SUITE_P(Kinds, PipeChannelReaders, ::testing::Values(Kind::kBlocking, Kind::kNonBlocking));

TEST_F(PipeChannelTest, AShuffleIsTheOrderOfItsObjectsInThatEpoch) {
  std::vector<std::string> objects;
  for (int i = 0; i < 20; ++i) {
    objects.push_back(Ramp(100, i + 1));
    bucket_.Put("p/" + std::to_string(1000 + i), objects.back());
  }
  ChannelSpec spec = PipeSpec();
  spec.shuffle_seed = 3;
  const ChannelObjects order = ChannelObjects::Open(bucket_.runtime(), spec);
  const auto channel = Serve(spec);
  std::string last;
  for (uint64_t epoch = 0; epoch < 3; ++epoch) {
    std::string expected;
    for (uint64_t i = 0; i < order.pieces(); ++i) expected += objects[*order.At(epoch, i).object];
    EXPECT_NE(expected, std::exchange(last, expected));
    EXPECT_EQ(ReadEpoch(epoch), expected);
  }
}

TEST_F(PipeChannelTest, NothingOfAnEpochIsReadBeforeItsReaderComes) {
  Fill({100, 100});
  const auto channel = Serve(PipeSpec("mem://seen/p/"));
  EXPECT_EQ(recording_->CountOf(StoreOp::kGet), 0u);
  EXPECT_EQ(ReadEpoch(0).size(), 200u);
  EXPECT_TRUE(IsFifo(Path(1)));
  EXPECT_EQ(recording_->CountOf(StoreOp::kGet), 2u);
}

TEST_F(PipeChannelTest, AReaderThatLeavesEarlyEndsItsEpoch) {
  const std::string all = Fill({1'500'000, 1'500'000});
  const auto channel = Serve();
  for (uint64_t epoch = 0; epoch < 3; ++epoch) {
    PipeReader reader(Path(epoch), Kind::kBlocking);
    EXPECT_EQ(reader.Read(1000), all.substr(0, 1000));
  }
  {
    const PipeReader unread(Path(3), Kind::kNonBlocking);
  }
  EXPECT_EQ(ReadEpoch(4), all);
  EXPECT_FALSE(IsFifo(Path(0)));
}

// However busy the channel is, and however quickly the reader goes again.
TEST_F(PipeChannelTest, NoReaderIsMissed) {
  const std::string all = Fill({1'500'000});
  const auto channel = Serve();
  PipeReader kept(Path(0), Kind::kBlocking);
  PipeReader next(Path(1), Kind::kNonBlocking);
  ASSERT_TRUE(testing::AwaitFifo(Path(2)));  // both threads are busy
  {
    const PipeReader dropped(Path(2), Kind::kNonBlocking);
  }
  EXPECT_EQ(kept.ReadAll(), all);
  EXPECT_EQ(next.ReadAll(), all);
  for (uint64_t epoch = 3; epoch < 50; ++epoch) PipeReader(Path(epoch), Kind::kNonBlocking).Close();
  EXPECT_EQ(ReadEpoch(50), all);
  const auto end =
      std::chrono::steady_clock::now() + testing::kPipeDeadline;  // the last one's thread may still run
  while (channel->counts().left < 48 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_EQ(channel->counts().left, 48u);
}

TEST_F(PipeChannelTest, TwoEpochsMayBeOpenAtOnceAndAThirdWaits) {
  const std::string all = Fill({1'500'000, 1'500'000});
  const auto channel = Serve();
  PipeReader first(Path(0), Kind::kBlocking);
  PipeReader second(Path(1), Kind::kBlocking);
  EXPECT_EQ(first.Read(10), all.substr(0, 10));
  EXPECT_EQ(second.Read(10), all.substr(0, 10));
  PipeReader third(Path(2), Kind::kNonBlocking);
  EXPECT_FALSE(testing::PollFor(third.fd(), POLLIN, std::chrono::milliseconds(20)));
  EXPECT_EQ(second.ReadAll(), all.substr(10));
  EXPECT_EQ(third.ReadAll(), all);
  EXPECT_EQ(first.ReadAll(), all.substr(10));
}

TEST_F(PipeChannelTest, WaitsForTheEpochsThatWereAskedFor) {
  const std::string all = Fill({3'000'000});
  const auto channel = Serve(PipeSpec(), {.epochs = 3});
  EXPECT_EQ(ReadEpoch(0), all);
  {
    const PipeReader unread(Path(1), Kind::kBlocking);
  }
  EXPECT_EQ(ReadEpoch(2), all);
  channel->Wait({});
  EXPECT_FALSE(IsFifo(Path(3)));
  EXPECT_EQ(channel->counts().whole, 2u);
  EXPECT_EQ(channel->counts().left, 1u);
}

TEST_F(PipeChannelTest, WaitingEndsWhenItIsStopped) {
  Fill({1});
  const auto channel = Serve(PipeSpec(), {.epochs = 1});
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(ErrorOf([&] { channel->Wait(stop.get_token()); }).code(), ErrorCode::kCancelled);
}

TEST_F(PipeChannelTest, StoppingCountsTheEpochsThatItCutsShort) {
  Fill({3'000'000});
  const auto channel = Serve();
  PipeReader reader(Path(0), Kind::kBlocking);
  EXPECT_EQ(reader.Read(1).size(), 1u);
  channel->Stop();
  channel->Stop();
  EXPECT_EQ(channel->counts().cut, 1u);
  EXPECT_EQ(channel->counts().whole + channel->counts().left, 0u);
  EXPECT_FALSE(IsFifo(Path(0)));
  EXPECT_FALSE(IsFifo(Path(1)));
}

TEST_F(PipeChannelTest, DestructionFreesAThreadThatWaitsForAReaderAndRemovesTheFifo) {
  Fill({1});
  Serve().reset();  // the threads that the store's first call starts
  const size_t descriptors = testing::OpenDescriptors();
  const size_t threads = testing::Threads();
  auto channel = Serve();
  EXPECT_GT(testing::Threads(), threads);
  channel.reset();
  EXPECT_EQ(testing::CountIn(folder_.path().c_str()), 0u);
  EXPECT_EQ(testing::OpenDescriptors(), descriptors);
  EXPECT_TRUE(testing::AwaitThreads(threads));
}

TEST_F(PipeChannelTest, DestructionFreesAThreadThatWaitsForRoom) {
  Fill({3'000'000});
  auto channel = Serve();
  PipeReader reader(Path(0), Kind::kBlocking);
  EXPECT_EQ(reader.Read(1).size(), 1u);
  channel.reset();
  EXPECT_LT(reader.ReadAll().size(), 2'999'999u);
  EXPECT_EQ(testing::CountIn(folder_.path().c_str()), 0u);
}

TEST_F(PipeChannelTest, DestructionNeedsNeitherTheNameNorTheFolder) {
  Fill({1});
  auto channel = Serve();
  std::filesystem::remove(Path(0));
  channel.reset();
  channel = Serve();
  std::filesystem::remove_all(folder_.path());
  channel.reset();
}

TEST_F(PipeChannelTest, WhatIsThereAlreadyIsAnError) {
  Fill({1});
  folder_.Put("train_0", "");
  const Error error = ErrorOf([&] { Serve(); });
  EXPECT_EQ(error.code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(error.uri(), Path(0));
  EXPECT_THAT(error.message(), HasSubstr("remove it"));
  EXPECT_EQ(testing::CountIn(folder_.path().c_str()), 1u);
}

TEST_F(PipeChannelTest, AFolderThatIsNotThereIsAnError) {
  Fill({1});
  const Error error = ErrorOf(
      [&] { ServePipe(bucket_.runtime(), PipeSpec(), {}, folder_.Path("none"), {}, [](const Error&) {}); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_EQ(error.uri(), folder_.Path("none/train_0"));
}

TEST_F(PipeChannelTest, MemoryHasAMinimum) {
  Fill({1});
  const Error error = ErrorOf([&] { Serve(PipeSpec(), {.memory = PipeChannel::kLeastMemory - 1}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), HasSubstr("1.0 MiB at least"));
}

TEST_F(PipeChannelTest, MemoryIsPartOfTheRuntimesCapWhileTheChannelLives) {
  Runtime runtime(testing::Quiet(4 << 20));
  runtime.AddStore("data", bucket_.store());
  Fill({1});
  const auto serve = [&](const char* name) {
    ChannelSpec spec = PipeSpec();
    spec.name = name;
    return ServePipe(runtime, spec, {}, folder_.path(), {.memory = 3 << 20}, [](const Error&) {});
  };
  auto channel = serve("a");
  const Error error = ErrorOf([&] { serve("b"); });
  EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.message(), HasSubstr("4.0 MiB"));
  channel.reset();
  EXPECT_NE(serve("b"), nullptr);
}

// An object four times as large as all the memory, and a reader that does not read.
TEST_F(PipeChannelTest, LargeObjectsAreReadInRangesWithinTheMemory) {
  const std::string all = Fill({4 << 20});
  const auto channel = Serve(PipeSpec("mem://seen/p/"), {.memory = 1 << 20, .pipe_size = 64 << 10});
  PipeReader reader(Path(0), Kind::kBlocking);
  EXPECT_EQ(reader.Read(1), all.substr(0, 1));
  const auto asked = [&] {
    uint64_t bytes = 0;
    for (const StoreCall& call : recording_->calls())
      bytes += call.op == StoreOp::kGet ? call.length.value() : 0;
    return bytes;
  };
  EXPECT_LE(asked(), (1 << 19) + (128 << 10));
  EXPECT_EQ(reader.ReadAll(), all.substr(1));
  EXPECT_EQ(asked(), all.size());
}

}  // namespace
}  // namespace bucketline
