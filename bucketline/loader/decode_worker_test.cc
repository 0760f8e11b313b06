#include "bucketline/loader/decode_worker.h"

#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/image/test_images.h"

namespace bucketline {
namespace {

class DecodeWorkerTest : public ::testing::Test {
 protected:
  DecodeWorkerTest() {
    spec_.height = 8;
    spec_.width = 8;
    row_.resize(spec_.RowBytes());
    need_ = ImageDecoder::ScratchBytes(info_, spec_);
  }

  bool Decode(DecodeWorker& worker, std::stop_token stop = {}) {
    return Decode(worker, jpeg_, std::move(stop));
  }
  bool Decode(DecodeWorker& worker, const std::vector<uint8_t>& jpeg, std::stop_token stop) {
    const auto work = [&](Workbench& bench) {
      bench.decoder.DecodeInto(jpeg, spec_, CounterRng(0, 0, 0), row_);
    };
    return worker.Run(need_, work, std::move(stop));
  }

  const std::vector<uint8_t> jpeg_ = testing::EncodeJpeg(testing::MakePicture(40, 30));
  const ImageInfo info_ = ProbeImage(jpeg_);
  ImageSpec spec_;
  std::vector<uint8_t> row_;
  uint64_t need_ = 0;
  MemoryBudget large_{1 << 24};
  MemoryBudget common_{1 << 25};
};

TEST_F(DecodeWorkerTest, WhatItKeepsStaysReservedWhileItLives) {
  {
    DecodeWorker worker({.kept_each = need_, .large = &large_, .common = &common_});
    EXPECT_TRUE(Decode(worker));
    EXPECT_TRUE(Decode(worker));
    EXPECT_EQ(common_.used(), need_);
    EXPECT_EQ(large_.peak(), 0u);
  }
  EXPECT_EQ(common_.used(), 0u);
}

TEST_F(DecodeWorkerTest, ALargerNeedComesFromTheLargeShareAndGoesBack) {
  DecodeWorker worker({.kept_each = need_ - 1, .large = &large_, .common = &common_});
  EXPECT_TRUE(Decode(worker));
  EXPECT_EQ(large_.peak(), need_);
  EXPECT_EQ(large_.used(), 0u);
  EXPECT_EQ(common_.peak(), need_);
  EXPECT_EQ(common_.used(), 0u);
}

TEST_F(DecodeWorkerTest, PixelsAreTheSameEitherWay) {
  DecodeWorker keeping({.kept_each = need_, .large = &large_, .common = &common_});
  ASSERT_TRUE(Decode(keeping));
  const std::vector<uint8_t> expected = row_;
  row_.assign(row_.size(), 0);
  DecodeWorker borrowing({.kept_each = 0, .large = &large_, .common = &common_});
  ASSERT_TRUE(Decode(borrowing));
  EXPECT_EQ(row_, expected);
}

TEST_F(DecodeWorkerTest, AnErrorGivesEverythingBack) {
  DecodeWorker worker({.kept_each = 0, .large = &large_, .common = &common_});
  const std::vector<uint8_t> half(jpeg_.begin(), jpeg_.begin() + static_cast<ptrdiff_t>(jpeg_.size() / 2));
  EXPECT_THROW(Decode(worker, half, {}), Error);
  EXPECT_EQ(large_.used(), 0u);
  EXPECT_EQ(common_.used(), 0u);
  EXPECT_TRUE(Decode(worker));
}

TEST_F(DecodeWorkerTest, AStopWakesTheWaitForScratch) {
  const std::optional<Reservation> all = large_.TryAcquire(large_.capacity());
  DecodeWorker worker({.kept_each = 0, .large = &large_, .common = &common_});
  std::stop_source stop;
  bool decoded = true;
  std::thread thread([&] { decoded = Decode(worker, stop.get_token()); });
  while (large_.waiting() == 0) std::this_thread::yield();
  stop.request_stop();
  thread.join();
  EXPECT_FALSE(decoded);
}

}  // namespace
}  // namespace bucketline
