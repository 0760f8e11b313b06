#include "bucketline/dataset/read_ahead.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/store/blocking.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/store/recording_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using testing::RampBytes;
using testing::Whole;

class ReadAheadTest : public ::testing::Test {
 protected:
  ReadAheadTest() { PutBytes(*memory_, "k", data_); }

  static std::vector<uint8_t> ReadAll(ReadAhead& reader) {
    std::vector<uint8_t> all;
    while (const auto bytes = reader.Next())
      all.insert(all.end(), bytes->span().begin(), bytes->span().end());
    return all;
  }

  const std::vector<uint8_t> data_ = RampBytes(1050);
  std::shared_ptr<ObjectStore> memory_ = MakeMemoryStore("m");
  std::shared_ptr<BufferPool> buffers_ = std::make_shared<BufferPool>(UINT64_MAX);
};

TEST_F(ReadAheadTest, GivesTheBytesInOrder) {
  MemoryBudget spare(3);
  ReadAhead whole(*memory_, Whole("k"), data_.size(), 100, &spare, buffers_);
  EXPECT_EQ(ReadAll(whole), data_);
  GetRequest request = Whole("k");
  request.offset = 7;
  ReadAhead inside(*memory_, request, 500, 64, &spare, buffers_);
  EXPECT_EQ(ReadAll(inside), std::vector<uint8_t>(data_.begin() + 7, data_.begin() + 507));
  EXPECT_EQ(spare.used(), 0u);
}

TEST_F(ReadAheadTest, MemoryThatIsGivenBackIsUsedAgain) {
  constexpr size_t kPiece = BufferPool::kSmallest;
  const std::vector<uint8_t> data = RampBytes(8 * kPiece);
  PutBytes(*memory_, "large", data);
  MemoryBudget none(0);
  std::optional<Bytes> kept;
  std::set<const uint8_t*> memories;
  {
    ReadAhead reader(*memory_, Whole("large"), data.size(), kPiece, &none, buffers_);
    kept = reader.Next();
    while (const auto bytes = reader.Next()) memories.insert(bytes->data());
  }
  ReadAhead next(*memory_, Whole("large"), data.size(), kPiece, &none, buffers_);
  while (const auto bytes = next.Next()) memories.insert(bytes->data());
  EXPECT_EQ(memories.size(), 1u);
  EXPECT_FALSE(memories.contains(kept->data()));
  // What is kept stays as it was, also when the reader is gone.
  EXPECT_EQ(std::vector<uint8_t>(kept->span().begin(), kept->span().end()),
            std::vector<uint8_t>(data.begin(), data.begin() + kPiece));
}

// So that they do not all end at once, now and in every round after.
TEST_F(ReadAheadTest, TheFirstPiecesOfMuchGrow) {
  constexpr uint64_t kPiece = 64;
  const std::vector<uint8_t> data = RampBytes(40 * kPiece + 1);
  PutBytes(*memory_, "much", data);
  RecordingStore recording(memory_);
  MemoryBudget spare(3);
  ReadAhead reader(recording, Whole("much"), data.size(), kPiece, &spare, buffers_);
  EXPECT_EQ(ReadAll(reader), data);
  const std::vector<StoreCall> calls = recording.calls();
  ASSERT_GT(calls.size(), 16u);
  for (size_t i = 1; i < 16; ++i) EXPECT_GT(calls[i].length, calls[i - 1].length);
  EXPECT_EQ(calls[16].offset, 8 * kPiece);
  for (size_t i = 16; i + 1 < calls.size(); ++i) EXPECT_EQ(calls[i].length, kPiece);
  EXPECT_EQ(calls.back().length, 1u);
}

TEST_F(ReadAheadTest, AsksForAsManyAsMayBeAtOnce) {
  const auto hanging = std::make_shared<FaultStore>(memory_, Always(StoreOp::kGet, Fault::Hang()));
  RecordingStore recording(hanging);
  for (const size_t units : {0, 3, 100}) {
    recording.Forget();
    MemoryBudget spare(units);
    std::stop_source stop;
    GetRequest request = Whole("k");
    request.stop = stop.get_token();
    ReadAhead reader(recording, request, data_.size(), 100, &spare, buffers_);
    stop.request_stop();
    EXPECT_THROW(reader.Next(), Error);
    EXPECT_EQ(recording.calls().size(), std::min<size_t>(units + 1, 11));
  }
}

TEST_F(ReadAheadTest, WhatFitsOnePieceIsAskedForAsItWas) {
  RecordingStore recording(memory_);
  MemoryBudget spare(3);
  ReadAhead reader(recording, Whole("k"), data_.size(), data_.size(), &spare, buffers_);
  EXPECT_EQ(ReadAll(reader), data_);
  ASSERT_EQ(recording.calls().size(), 1u);
  EXPECT_EQ(recording.calls()[0].length, std::nullopt);
}

// Replaces the object after its first read.
class ChangingStore : public RecordingStore {
 public:
  ChangingStore(std::shared_ptr<ObjectStore> inner, std::vector<uint8_t> other)
      : RecordingStore(inner), inner_(std::move(inner)), other_(std::move(other)) {}
  void Get(GetRequest request, std::shared_ptr<GetSink> sink,
           std::function<void(Result<ObjectInfo>)> done) override {
    if (CountOf(StoreOp::kGet) == 1) PutBytes(*inner_, request.key, other_);
    RecordingStore::Get(std::move(request), std::move(sink), std::move(done));
  }

 private:
  const std::shared_ptr<ObjectStore> inner_;
  const std::vector<uint8_t> other_;
};

TEST_F(ReadAheadTest, PiecesOfTwoStatesAreNeverMixed) {
  ChangingStore store(memory_, RampBytes(1050, 5));
  MemoryBudget spare(0);
  ReadAhead reader(store, Whole("k"), data_.size(), 100, &spare, buffers_);
  EXPECT_TRUE(reader.Next());
  try {
    reader.Next();
    FAIL() << "bytes of another state";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kObjectChanged);
  }
}

TEST_F(ReadAheadTest, TheEndStopsWhatRuns) {
  const auto hanging = std::make_shared<FaultStore>(memory_, [](const StoreCall& call, uint64_t) {
    return call.offset == 0 ? Fault::None() : Fault::Hang();
  });
  MemoryBudget spare(5);
  {
    ReadAhead reader(*hanging, Whole("k"), data_.size(), 100, &spare, buffers_);
    EXPECT_TRUE(reader.Next());
  }
  EXPECT_EQ(spare.used(), 0u);
}

}  // namespace
}  // namespace bucketline
