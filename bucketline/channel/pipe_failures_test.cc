// A reader never takes a failure for the end of its epoch.
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/channel/pipe_channel.h"
#include "bucketline/channel/pipe_testing.h"
#include "bucketline/store/fault_store.h"

namespace bucketline {
namespace {

using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::PipeReader;
using testing::PipeSpec;
using testing::PollFor;
using Kind = PipeReader::Kind;

constexpr std::chrono::milliseconds kNow{0};

class PipeFailuresTest : public testing::PipeChannelTest {
 protected:
  // Serves objects of a store that has faults.
  std::unique_ptr<PipeChannel> ServeFaulty(FaultScript script, PipeOptions options = {}) {
    bucket_.runtime().AddStore("faulty", std::make_shared<FaultStore>(bucket_.store(), std::move(script)));
    return Serve(PipeSpec("mem://faulty/p/"), std::move(options));
  }

  // Every read of the key fails.
  static FaultScript Failing(std::string key) {
    return [key = std::move(key)](const StoreCall& call, uint64_t) {
      return call.op == StoreOp::kGet && call.key == key
                 ? Fault::FailBefore(Error(ErrorCode::kUnavailable, "the store is down"))
                 : Fault::None();
    };
  }
};

TEST_F(PipeFailuresTest, TheReaderIsKeptWaitingUntilTheChannelIsDestroyed) {
  Fill({1000, 1000, 1000});
  auto channel = ServeFaulty(Failing("p/1001"));
  const PipeReader reader(Path(0), Kind::kNonBlocking);
  const std::vector<Error> failures = failures_.Await();
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].code(), ErrorCode::kUnavailable);
  EXPECT_EQ(failures[0].uri(), "mem://data/p/1001");
  EXPECT_FALSE(PollFor(reader.fd(), POLLHUP, kNow));
  channel.reset();
  EXPECT_TRUE(PollFor(reader.fd(), POLLHUP));
  EXPECT_EQ(failures_.Now().size(), 1u);
}

TEST_F(PipeFailuresTest, AReaderOfTheNextEpochIsKeptWaitingToo) {
  Fill({1000});
  const auto channel = ServeFaulty(Failing("p/1000"));
  const PipeReader first(Path(0), Kind::kNonBlocking);
  ASSERT_EQ(failures_.Await().size(), 1u);
  const PipeReader second(Path(1), Kind::kNonBlocking);
  EXPECT_FALSE(PollFor(second.fd(), POLLIN, std::chrono::milliseconds(20)));
  EXPECT_EQ(channel->counts().whole, 0u);
  EXPECT_EQ(failures_.Now().size(), 1u);
}

TEST_F(PipeFailuresTest, WaitThrowsOnceTheReaderHasGone) {
  Fill({1000});
  const auto channel = ServeFaulty(Failing("p/1000"), {.epochs = 1});
  PipeReader reader(Path(0), Kind::kNonBlocking);
  ASSERT_EQ(failures_.Await().size(), 1u);
  reader.Close();
  EXPECT_EQ(ErrorOf([&] { channel->Wait({}); }).code(), ErrorCode::kUnavailable);
}

TEST_F(PipeFailuresTest, AnEpochThatIsOpenBesideTheFailedOneIsStillWhole) {
  const std::string all = Fill({2'000'000, 2'000'000});
  auto asked = std::make_shared<std::promise<void>>();
  auto gets = std::make_shared<int>(0);
  const auto channel = ServeFaulty([asked, gets](const StoreCall& call, uint64_t) {
    if (call.op != StoreOp::kGet) return Fault::None();
    if (++*gets == 2) asked->set_value();
    return *gets <= 2 ? Fault::None() : Fault::FailBefore(Error(ErrorCode::kUnavailable, "down"));
  });
  PipeReader first(Path(0), Kind::kBlocking);
  ASSERT_EQ(asked->get_future().wait_for(testing::kPipeDeadline), std::future_status::ready);
  PipeReader second(Path(1), Kind::kNonBlocking);
  ASSERT_EQ(failures_.Await().size(), 1u);
  EXPECT_FALSE(PollFor(second.fd(), POLLIN, kNow));
  EXPECT_EQ(first.ReadAll(), all);  // all of it was asked for before
  EXPECT_EQ(channel->counts().whole, 1u);
}

// The reader had enough: what it did not read cannot be missed.
TEST_F(PipeFailuresTest, WhatFailsForAReaderThatHasGoneIsNoFailure) {
  Fill({1000, 2000});
  auto gone = std::make_shared<std::promise<void>>();
  auto wait = std::make_shared<std::shared_future<void>>(gone->get_future());
  bucket_.runtime().AddStore(
      "slow", std::make_shared<FaultStore>(bucket_.store(), [wait](const StoreCall& call, uint64_t) {
        if (call.op != StoreOp::kGet || call.key != "p/1001") return Fault::None();
        wait->wait_for(testing::kPipeDeadline);
        return Fault::FailBefore(Error(ErrorCode::kUnavailable, "down"));
      }));
  const auto channel = Serve(PipeSpec("mem://slow/p/"), {.epochs = 1});
  PipeReader reader(Path(0), Kind::kBlocking);
  EXPECT_EQ(reader.Read(1000).size(), 1000u);  // sent before the second object is waited for
  reader.Close();
  gone->set_value();
  channel->Wait({});
  EXPECT_EQ(channel->counts().left, 1u);
  EXPECT_TRUE(failures_.Now().empty());
}

TEST_F(PipeFailuresTest, AnObjectThatChangedIsAFailureThatNamesIt) {
  Fill({1000, 1000});
  const auto channel = Serve();
  bucket_.Put("p/1001", std::string(1000, 'x'));
  const PipeReader reader(Path(0), Kind::kNonBlocking);
  const std::vector<Error> failures = failures_.Await();
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].code(), ErrorCode::kObjectChanged);
  EXPECT_EQ(failures[0].uri(), "mem://data/p/1001");
}

// With pin=size alone the ranges of a large object must still be of one state.
TEST_F(PipeFailuresTest, RangesOfTwoStatesAreNeverMixed) {
  const std::string before = testing::Ramp(1 << 20, 1);
  bucket_.Put("p/1000", before);
  auto changed = std::make_shared<bool>(false);
  const auto channel = [&] {
    bucket_.runtime().AddStore(
        "swapped",
        std::make_shared<FaultStore>(bucket_.store(), [this, changed](const StoreCall& call, uint64_t) {
          if (call.op == StoreOp::kGet && call.offset >= 512'000 && !std::exchange(*changed, true)) {
            bucket_.Put("p/1000", testing::Ramp(1 << 20, 2));
          }
          return Fault::None();
        }));
    PipeOptions options;
    options.memory = PipeChannel::kLeastMemory;
    options.requests = 1;
    options.objects.pin = PinMode::kSize;
    return Serve(PipeSpec("mem://swapped/p/"), std::move(options));
  }();
  PipeReader reader(Path(0), Kind::kNonBlocking);
  EXPECT_EQ(reader.Read(400'000), before.substr(0, 400'000));
  const std::vector<Error> failures = failures_.Await();
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].code(), ErrorCode::kObjectChanged);
  EXPECT_THAT(failures[0].message(), HasSubstr("while it was read"));
}

TEST_F(PipeFailuresTest, TheNextEpochsFifoThatCannotBeMadeIsAFailure) {
  Fill({1000});
  folder_.Put("train_1", "in the way");
  const auto channel = Serve();
  PipeReader reader(Path(0), Kind::kNonBlocking);
  const std::vector<Error> failures = failures_.Await();
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(failures[0].uri(), Path(1));
  EXPECT_FALSE(PollFor(reader.fd(), POLLIN | POLLHUP, kNow));
}

TEST_F(PipeFailuresTest, DestructionDoesNotWaitForAStoreThatHangs) {
  Fill({1000});
  auto channel = ServeFaulty(Always(StoreOp::kGet, Fault::Hang()));
  const PipeReader reader(Path(0), Kind::kNonBlocking);
  channel.reset();
  EXPECT_TRUE(failures_.Now().empty());
}

}  // namespace
}  // namespace bucketline
