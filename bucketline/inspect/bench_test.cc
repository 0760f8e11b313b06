#include "bucketline/inspect/bench.h"

#include <gtest/gtest.h>

#include "bucketline/inspect/jpeg_floor.h"
#include "bucketline/inspect/synthetic_images.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/memory_store.h"

namespace bucketline {
namespace {

class BenchTest : public ::testing::Test {
 protected:
  BenchTest() : store_(MakeMemoryStore("d")) {
    for (uint64_t i = 0; i < 20; ++i) {
      const SyntheticImage image = MakeSyntheticImage(i, 0, 48);
      PutBytes(*store_, image.key, image.jpeg);
    }
    runtime_.AddStore("d", store_);
  }

  Dataset Open() { return Dataset::Open(runtime_, "mem://d/"); }

  std::shared_ptr<ObjectStore> store_;
  Runtime runtime_{{.log = LogToNowhere()}};
};

TEST_F(BenchTest, CountsEveryEpochAndMeasuresTheLimits) {
  BenchOptions options;
  options.loader.batch_size = 8;
  options.loader.image = {.height = 32, .width = 32, .crop = Crop::kRandomResized};
  options.epochs = 3;
  uint64_t last = 0;
  const BenchReport report = RunBench(Open(), options, [&](uint64_t images) { last = images; });
  EXPECT_EQ(report.images, 60u);
  EXPECT_EQ(report.batches, 9u);
  EXPECT_EQ(last, 60u);
  EXPECT_GT(report.seconds, 0);
  EXPECT_GT(report.cpu_us_per_image, 0);
  EXPECT_GT(report.limit_cpu_us_per_image, 0);
  EXPECT_GT(report.crop_decode_cpu_us_per_image, 0);
  EXPECT_DOUBLE_EQ(report.cpu_over_limit, report.cpu_us_per_image / report.limit_cpu_us_per_image);
  EXPECT_GT(report.peak_rss_bytes, 1u << 20);
  EXPECT_GT(report.first_epoch_rss_bytes, 1u << 20);
  EXPECT_LE(report.last_epoch_rss_bytes, report.peak_rss_bytes);
  EXPECT_GT(report.batch_p50_seconds, 0);
  EXPECT_GE(report.batch_p99_seconds, report.batch_p50_seconds);
  EXPECT_LE(report.batch_p99_seconds, report.seconds);
  EXPECT_LE(report.wait_share, 1);
}

TEST_F(BenchTest, EndsAfterSoManyBatches) {
  BenchOptions options;
  options.loader.batch_size = 8;
  options.loader.image = {.height = 32, .width = 32};
  options.epochs = 3;
  options.max_batches = 2;
  const BenchReport report = RunBench(Open(), options);
  EXPECT_EQ(report.batches, 2u);
  EXPECT_EQ(report.images, 16u);
}

TEST_F(BenchTest, TheLimitNeedsNoMoreRecordsThanItWasGiven) {
  BenchOptions options;
  options.loader.image = {.height = 32, .width = 32};
  options.limit_records = 3;
  EXPECT_GT(RunBench(Open(), options).limit_cpu_us_per_image, 0);
  options.limit_bytes = 1;  // one record is certain
  EXPECT_GT(RunBench(Open(), options).limit_cpu_us_per_image, 0);
}

TEST_F(BenchTest, RawBatchesHaveNoLimit) {
  BenchOptions options;
  options.loader.decode = false;
  const BenchReport report = RunBench(Open(), options);
  EXPECT_EQ(report.images, 20u);
  EXPECT_EQ(report.limit_cpu_us_per_image, 0);
  EXPECT_EQ(report.cpu_over_limit, 0);
}

TEST_F(BenchTest, ImagesAsTheyAre) {
  BenchOptions options;
  options.loader.image = {};
  EXPECT_GT(RunBench(Open(), options).limit_cpu_us_per_image, 0);
}

TEST_F(BenchTest, BadSamplesCountByThePolicy) {
  PutBytes(*store_, "rings/bad.jpg", "no image");
  BenchOptions options;
  options.loader.image = {.height = 32, .width = 32};
  options.loader.max_skipped = 0.1;
  EXPECT_THROW(RunBench(Open(), options), Error);
  options.loader.on_error = OnError::kMask;
  const BenchReport report = RunBench(Open(), options);
  EXPECT_EQ(report.images, 20u);
  EXPECT_EQ(report.stages.masked, 1u);
  EXPECT_GT(report.limit_cpu_us_per_image, 0);
}

TEST_F(BenchTest, AStopEndsIt) {
  BenchOptions options;
  options.loader.image = {.height = 32, .width = 32};
  options.epochs = 1'000'000;
  std::stop_source stop;
  try {
    RunBench(Open(), options, [&](uint64_t) { stop.request_stop(); }, stop.get_token());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
}

TEST(JpegFloor, DecodesAnyBoxAndRefusesDamage) {
  const std::vector<uint8_t> jpeg = MakeSyntheticImage(0, 0, 64).jpeg;
  JpegFloor floor;
  for (const PixelBox& box : {PixelBox{0, 0, 64, 64}, PixelBox{10, 20, 5, 5}, PixelBox{63, 63, 1, 1},
                              PixelBox{-5, -5, 200, 200}, PixelBox{30, 0, 0, 0}}) {
    EXPECT_NO_THROW(floor.DecodeBox(jpeg, box));
  }
  EXPECT_THROW(floor.DecodeBox(std::span(jpeg).first(10), {0, 0, 8, 8}), Error);
  EXPECT_NO_THROW(floor.DecodeBox(jpeg, {0, 0, 64, 64}));  // usable after an error
}

}  // namespace
}  // namespace bucketline
