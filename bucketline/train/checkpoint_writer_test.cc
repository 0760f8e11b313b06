#include "bucketline/train/checkpoint_writer.h"

#include <future>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/store/memory_store.h"

namespace bucketline {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

Checkpoint Make(uint64_t step) { return {.step = step, .files = {{"model", Bytes::Copy("m")}}}; }

class CheckpointWriterTest : public ::testing::Test {
 protected:
  CheckpointWriterTest() { runtime_.AddStore("c", MakeMemoryStore("c")); }
  uint64_t LatestStep() { return CheckpointFolder(runtime_, "mem://c/run").Load()->step; }

  Runtime runtime_;
};

TEST_F(CheckpointWriterTest, SavesWhileTheCallerGoesOn) {
  CheckpointWriter writer(runtime_, "mem://c/run", 3);
  std::promise<void> go;
  writer.Save(
      [&] {
        go.get_future().wait();
        return Make(1);
      },
      false);
  EXPECT_TRUE(writer.busy());
  EXPECT_THAT(writer.TakeSaved(), IsEmpty());
  go.set_value();
  writer.Wait();
  const std::vector<SavedCheckpoint> saved = writer.TakeSaved();
  ASSERT_THAT(saved, SizeIs(1));
  EXPECT_EQ(saved[0].step, 1u);
  EXPECT_THAT(writer.TakeSaved(), IsEmpty());  // told once
  EXPECT_EQ(LatestStep(), 1u);
}

TEST_F(CheckpointWriterTest, SavesComeInOrder) {
  CheckpointWriter writer(runtime_, "mem://c/run", 2);
  for (uint64_t step = 1; step <= 6; ++step) writer.Save([step] { return Make(step); }, step == 2);
  writer.Wait();
  EXPECT_EQ(LatestStep(), 6u);
  EXPECT_EQ(CheckpointFolder(runtime_, "mem://c/run").Load(CheckpointFolder::kBest)->step, 2u);
  EXPECT_THAT(writer.TakeSaved(), SizeIs(6));
}

TEST_F(CheckpointWriterTest, AFailureIsThrownByTheNextCall) {
  const auto fail = []() -> Checkpoint { throw Error(ErrorCode::kIo, "disk full"); };
  {
    CheckpointWriter writer(runtime_, "mem://c/run", 2);
    writer.Save(fail, false);
    EXPECT_THROW(writer.Wait(), Error);
    writer.Save(fail, false);
    EXPECT_THROW(writer.Save([] { return Make(2); }, false), Error);
    writer.Save(fail, false);
    while (writer.busy()) std::this_thread::yield();
    EXPECT_THROW(writer.TakeSaved(), Error);
  }
  EXPECT_FALSE(CheckpointFolder(runtime_, "mem://c/run").Load());
}

TEST_F(CheckpointWriterTest, TheDestructorLetsASaveEnd) {
  {
    CheckpointWriter(runtime_, "mem://c/run", 2).Save([] { return Make(7); }, true);
  }
  EXPECT_EQ(LatestStep(), 7u);
}

TEST_F(CheckpointWriterTest, WhatMakeHoldsIsFreedAfterTheSave) {
  CheckpointWriter writer(runtime_, "mem://c/run", 2);
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  writer.Save([held = std::move(held)] { return Make(1); }, false);
  writer.Save([] { return Make(2); }, false);
  writer.Wait();
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace bucketline
