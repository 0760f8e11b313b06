#include "bucketline/channel/mount_reader.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/units.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/recording_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::RampBytes;

constexpr std::chrono::seconds kDeadline(30);

std::string Text(const std::vector<Bytes>& parts) {
  std::string text;
  for (const Bytes& part : parts) text += part.view();
  return text;
}

class MountReaderTest : public ::testing::Test {
 protected:
  void Put(const std::string& key, size_t size, uint64_t seed = 1) {
    PutBytes(*memory_, "p/" + key, std::span<const uint8_t>(RampBytes(size, seed)));
  }
  std::string Content(size_t size, uint64_t seed = 1) {
    const std::vector<uint8_t> bytes = RampBytes(size, seed);
    return {bytes.begin(), bytes.end()};
  }

  // Reads what was put, through the faults of `script`, remembering what is asked for.
  MountReader& Start(uint64_t memory = 64_MiB, FaultScript script = InTurn({})) {
    store_ = std::make_shared<RecordingStore>(std::make_shared<FaultStore>(memory_, std::move(script)));
    runtime_.AddStore("data", store_);
    dataset_ = Dataset::Open(runtime_, "mem://data/p/", {.extensions = {}});
    store_->Forget();
    reader_ = std::make_unique<MountReader>(
        *dataset_, memory, [this](LogLevel, std::string_view line) { logged_.emplace_back(line); });
    return *reader_;
  }

  std::vector<std::string> GetKeys() const {
    std::vector<std::string> keys;
    for (const StoreCall& call : store_->calls()) keys.push_back(call.key);
    return keys;
  }

  const std::shared_ptr<ObjectStore> memory_ = MakeMemoryStore("data");
  std::shared_ptr<RecordingStore> store_;
  std::vector<std::string> logged_;
  Runtime runtime_{testing::Quiet()};
  std::optional<Dataset> dataset_;
  std::unique_ptr<MountReader> reader_;
};

TEST_F(MountReaderTest, ReadsAnyRangeOfSmallAndLargeFiles) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{5000}, size_t{3'000'000}}) {
    Put("f" + std::to_string(size), size);
  }
  MountReader& reader = Start();
  std::mt19937_64 random(5);
  for (uint64_t record = 0; record < 4; ++record) {
    const auto file = reader.Open(record);
    const std::string content = Content(file->size());
    for (int i = 0; i < 50; ++i) {
      const uint64_t offset = file->size() == 0 ? 0 : random() % file->size();
      const uint64_t length = random() % 200'000;
      EXPECT_EQ(Text(reader.Read(*file, offset, length, {})), content.substr(offset, length));
    }
    EXPECT_EQ(Text(reader.Read(*file, file->size(), 100, {})), "") << "at the end";
    EXPECT_EQ(Text(reader.Read(*file, file->size() + 10, 100, {})), "") << "beyond it";
  }
}

TEST_F(MountReaderTest, SequentialReadsAreAskedForOnceAndAhead) {
  const size_t size = 20'000'000;
  Put("big", size);
  MountReader& reader = Start();
  const auto file = reader.Open(0);
  std::string read = Text(reader.Read(*file, 0, 128_KiB, {}));
  EXPECT_GE(store_->CountOf(StoreOp::kGet), 2u) << "its head, and more";
  while (read.size() < size) read += Text(reader.Read(*file, read.size(), 128_KiB, {}));
  EXPECT_EQ(read, Content(size));
  EXPECT_EQ(reader.bytes_read(), size);
  EXPECT_LT(store_->CountOf(StoreOp::kGet), 50u) << "not one a read";
}

TEST_F(MountReaderTest, ARandomReadAsksForItsOwnBytesAlone) {
  Put("big", 20'000'000);
  MountReader& reader = Start();
  const auto file = reader.Open(0);
  for (const uint64_t offset : {7'000'000, 3'000'000, 15'000'000})
    (void)reader.Read(*file, offset, 128_KiB, {});
  EXPECT_EQ(store_->CountOf(StoreOp::kGet), 3u);
}

TEST_F(MountReaderTest, ASmallFileIsAskedForWholeAtItsFirstRead) {
  Put("small", 900'000);
  MountReader& reader = Start();
  const auto file = reader.Open(0);
  std::string read;
  while (read.size() < file->size()) read += Text(reader.Read(*file, read.size(), 4096, {}));
  EXPECT_EQ(store_->CountOf(StoreOp::kGet), 1u);
}

TEST_F(MountReaderTest, FilesReadInOrderAreThereBeforeTheyAreOpened) {
  for (int i = 0; i < 100; ++i) Put(std::to_string(100 + i), 10'000, static_cast<uint64_t>(i));
  MountReader& reader = Start();
  for (uint64_t i = 0; i < 100; ++i) {
    const auto file = reader.Open(i);
    EXPECT_EQ(Text(reader.Read(*file, 0, 128_KiB, {})), Content(10'000, i));
    if (i == 20) {
      EXPECT_GE(store_->CountOf(StoreOp::kGet), 50u);
    }
  }
  EXPECT_EQ(store_->CountOf(StoreOp::kGet), 100u) << "none twice";
}

TEST_F(MountReaderTest, TheWindowGoesOnIntoTheNextFiles) {
  for (uint64_t i = 0; i < 6; ++i) Put(std::to_string(i), 4'000'000, i);
  MountReader& reader = Start();
  for (uint64_t i = 0; i < 6; ++i) {
    if (i == 3) {
      const std::vector<std::string> keys = GetKeys();
      EXPECT_GE(std::count(keys.begin(), keys.end(), "p/3"), 2) << "asked for before it is opened";
    }
    const auto file = reader.Open(i);
    std::string read;
    while (read.size() < file->size()) read += Text(reader.Read(*file, read.size(), 1_MiB, {}));
    EXPECT_TRUE(read == Content(4'000'000, i));
  }
  EXPECT_LE(store_->CountOf(StoreOp::kGet), 6u * 4) << "and not a second time";
}

TEST_F(MountReaderTest, AWindowIsCarriedIntoTheNextFile) {
  for (uint64_t i = 0; i < 6; ++i) Put(std::to_string(i), 4'000'000, i);
  MountReader& reader = Start();
  for (uint64_t i = 0; i < 4; ++i) {
    const auto file = reader.Open(i);
    for (uint64_t offset = 0; offset < file->size(); offset += 1_MiB)
      (void)reader.Read(*file, offset, 1_MiB, {});
  }
  const auto file = reader.Open(4);
  (void)reader.Read(*file, 0, 1_MiB, {});
  const std::vector<std::string> keys = GetKeys();
  EXPECT_EQ(std::count(keys.begin(), keys.end(), "p/5"), 3)
      << "all of it, at the first read of the one before";
}

TEST_F(MountReaderTest, AChangedObjectIsAnErrorThatIsLoggedOnce) {
  Put("a", 10'000);
  Put("b", 5'000'000);
  MountReader& reader = Start();
  Put("a", 10'000, 2);
  Put("b", 5'000'000, 2);
  for (uint64_t record = 0; record < 2; ++record) {
    const auto file = reader.Open(record);
    for (const uint64_t offset : {0, 8000}) {
      const Error error = ErrorOf([&] { (void)reader.Read(*file, offset, 100, {}); });
      EXPECT_EQ(error.code(), ErrorCode::kObjectChanged);
    }
  }
  EXPECT_THAT(logged_, ElementsAre(HasSubstr("mem://data/p/a"), HasSubstr("mem://data/p/b")));
  EXPECT_THAT(logged_[0], HasSubstr("EIO"));
  EXPECT_EQ(reader.failed_reads(), 4u);
}

TEST_F(MountReaderTest, AFailedReadAheadIsReadAnew) {
  Put("a", 10'000);
  MountReader& reader = Start(64_MiB, [](const StoreCall& call, uint64_t number) {
    return call.op == StoreOp::kGet && number == 1 ? Fault::FailBefore(Error(ErrorCode::kTimeout, "late"))
                                                   : Fault::None();
  });
  const auto file = reader.Open(0);
  EXPECT_EQ(Text(reader.Read(*file, 0, 10'000, {})), Content(10'000));
  EXPECT_EQ(store_->CountOf(StoreOp::kGet), 2u);
  EXPECT_TRUE(logged_.empty());
}

TEST_F(MountReaderTest, AStopEndsAReadThatWaits) {
  Put("a", 10'000);
  Put("big", 5'000'000);
  MountReader& reader = Start(64_MiB, Always(StoreOp::kGet, Fault::Hang()));
  for (const uint64_t record : {0, 1}) {
    const auto file = reader.Open(record);
    std::stop_source stop;
    std::thread waiter([&] {
      EXPECT_EQ(ErrorOf([&] { (void)reader.Read(*file, 3000, 100, stop.get_token()); }).code(),
                ErrorCode::kCancelled);
    });
    EXPECT_TRUE(store_->WaitForInFlight(1, kDeadline));
    stop.request_stop();
    waiter.join();
  }
  EXPECT_TRUE(logged_.empty()) << "a stop is no fault of the object";
}

TEST_F(MountReaderTest, ReadersThatNeedMoreThanThereIsTakeTurns) {
  for (int i = 0; i < 8; ++i) Put(std::to_string(i), 6'000'000, static_cast<uint64_t>(i));
  MountReader& reader = Start(MountReader::kLeastMemory);
  std::vector<std::thread> readers;
  for (uint64_t i = 0; i < 8; ++i) {
    readers.emplace_back([&, i] {
      const auto file = reader.Open(i);
      const std::string content = Content(6'000'000, i);
      std::mt19937_64 random(i);
      for (uint64_t offset = 0; offset < file->size(); offset += 1_MiB) {
        EXPECT_EQ(Text(reader.Read(*file, offset, 1_MiB, {})), content.substr(offset, 1_MiB));
        const uint64_t other = random() % (file->size() - 1000);
        EXPECT_EQ(Text(reader.Read(*file, other, 1000, {})), content.substr(other, 1000));
      }
    });
  }
  for (std::thread& thread : readers) thread.join();
}

TEST_F(MountReaderTest, TooLittleMemoryIsAnErrorThatNamesTheLeast) {
  Put("a", 1);
  const Error error = ErrorOf([&] { Start(1_MiB); });
  EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.what(), HasSubstr("16.0 MiB"));
}

class MountPoolTest : public MountReaderTest {
 protected:
  PartPlace Place(uint64_t record) { return dataset_->PlaceAt(record); }

  // The store lets go of what it gave a little after it gave it.
  static void ExpectUsed(const MountPool& pool, uint64_t bytes) {
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (pool.used() != bytes && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_EQ(pool.used(), bytes);
  }
};

TEST_F(MountPoolTest, NeverHoldsMoreThanItsCapacity) {
  for (int i = 0; i < 10; ++i) Put(std::to_string(i), 100'000);
  Start();
  MountPool pool(450'000);
  size_t asked = 0;
  for (uint64_t i = 0; i < 10; ++i) asked += pool.Ask(i, Place(i), {0, 100'000}) ? 1 : 0;
  EXPECT_EQ(asked, 4u);
  EXPECT_EQ(pool.used(), 400'000u);
  EXPECT_FALSE(pool.Ask(9, Place(9), {0, 100'000}));
  ASSERT_TRUE(pool.Take(0, 0, 100'000, {}).has_value());
  ExpectUsed(pool, 300'000);  // what was taken whole is gone
  EXPECT_TRUE(pool.Ask(9, Place(9), {0, 100'000}));
}

TEST_F(MountPoolTest, BytesThatWereTakenKeepTheirRoom) {
  Put("a", 1000);
  Start();
  MountPool pool(1000);
  ASSERT_TRUE(pool.Ask(0, Place(0), {0, 1000}));
  std::optional<Bytes> bytes = pool.Take(0, 0, 1000, {});
  EXPECT_EQ(pool.used(), 1000u);
  bytes.reset();
  ExpectUsed(pool, 0);
}

TEST_F(MountPoolTest, APieceIsFoundByAnyOfItsBytes) {
  Put("a", 1000);
  Put("b", 1000);
  Start();
  MountPool pool(10'000);
  ASSERT_TRUE(pool.Ask(0, Place(0), {200, 300}));
  EXPECT_TRUE(pool.Ask(0, Place(0), {300, 300})) << "its first byte is asked for already";
  EXPECT_EQ(store_->CountOf(StoreOp::kGet), 1u);
  EXPECT_EQ(pool.Take(0, 199, 10, {}), std::nullopt);
  EXPECT_EQ(pool.Take(0, 500, 10, {}), std::nullopt);
  EXPECT_EQ(pool.Take(1, 200, 10, {}), std::nullopt);
  EXPECT_EQ(pool.NextPiece(0, 100), 200u);
  EXPECT_EQ(pool.NextPiece(0, 200), std::nullopt);
  const std::optional<Bytes> bytes = pool.Take(0, 450, 100, {});
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(bytes->view(), Content(1000).substr(450, 50)) << "as far as the piece goes";
}

TEST_F(MountPoolTest, WhatIsBehindIsDropped) {
  Put("a", 1000);
  Put("b", 1000);
  Start();
  MountPool pool(10'000);
  for (const uint64_t offset : {0, 100, 200}) ASSERT_TRUE(pool.Ask(0, Place(0), {offset, 100}));
  ASSERT_TRUE(pool.Ask(1, Place(1), {0, 100}));
  pool.Drop(0, 250);
  EXPECT_EQ(pool.Take(0, 150, 10, {}), std::nullopt);
  EXPECT_TRUE(pool.Take(0, 250, 10, {}).has_value());
  EXPECT_TRUE(pool.Take(1, 0, 10, {}).has_value());
}

TEST_F(MountPoolTest, WhatNobodyWantsMakesRoomAfterAWhile) {
  Put("a", 1000);
  Put("b", 10'000);
  Start();
  MountPool pool(1100);
  ASSERT_TRUE(pool.Ask(0, Place(0), {0, 1000}));
  for (uint64_t offset = 0; offset < 2000; ++offset) {
    if (!pool.Ask(1, Place(1), {offset, 1})) break;
    ASSERT_TRUE(pool.Take(1, offset, 1, {}).has_value());
  }
  EXPECT_TRUE(pool.Ask(1, Place(1), {5000, 1000}));
  EXPECT_EQ(pool.Take(0, 0, 10, {}), std::nullopt);
}

}  // namespace
}  // namespace bucketline
