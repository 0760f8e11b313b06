// One epoch gives the same bytes whatever happens on the way: threads, memory, 503s, resets, cut bodies.
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/units.h"
#include "bucketline/loader/loader_testing.h"
#include "bucketline/serve/server.h"

namespace bucketline::testing {
namespace {

constexpr uint64_t kImages = 300;

class EpochIdentity : public ::testing::Test {
 protected:
  EpochIdentity() : server_({}, MakeMemoryBuckets()) {
    server_.buckets().Create("data");
    const std::shared_ptr<ObjectStore> store = server_.buckets().Find("data");
    for (uint64_t i = 0; i < kImages; ++i) {
      PutBytes(*store, "train/" + ImageKey(i), EncodeJpeg(MakePicture(kWidth, kHeight, 3, i)));
    }
  }

  RuntimeOptions Options() const {
    RuntimeOptions options = Quiet();
    options.s3.endpoint_url = server_.endpoint_url();
    options.s3.access_key_id = server_.access_key_id();
    options.s3.secret_access_key = server_.secret_access_key();
    options.s3.region = "us-east-1";
    return options;
  }

  struct Run {
    std::vector<Given> batches;
    uint64_t retries = 0;
  };

  Run Load(size_t threads, uint64_t memory) {
    Runtime runtime(Options());
    LoaderOptions options = SmallOptions(16);
    options.image.height = options.image.width = 64;
    options.image.type = PixelType::kFloat32;
    options.shuffle = true;
    options.seed = 11;
    options.epochs = 1;
    options.threads = threads;
    options.memory = memory;
    Loader loader(Dataset::Open(runtime, "s3://data/train/", {.labels = Labels::Folder()}), options);
    std::vector<Given> batches = RestOfEpoch(loader);
    EXPECT_LE(loader.Stats().budget_peak, memory);
    return {std::move(batches), runtime.counters().retries.value()};
  }

  Server server_;
};

TEST_F(EpochIdentity, ThreadsMemoryAndFaultsChangeNothing) {
  const Run plain = Load(1, 64_MiB);
  ASSERT_EQ(plain.batches.size(), kImages / 16);
  EXPECT_EQ(plain.retries, 0u);
  EXPECT_EQ(Load(8, 64_MiB).batches, plain.batches);
  EXPECT_EQ(Load(1, 2_GiB).batches, plain.batches);
  EXPECT_EQ(Load(8, 2_GiB).batches, plain.batches);

  server_.SetFaults(
      {.slow_down = 0.05, .reset_before = 0.01, .reset_body = 0.01, .truncate = 0.01, .seed = 3});
  for (const size_t threads : {1, 8}) {
    const Run faulty = Load(threads, threads == 1 ? 2_GiB : 64_MiB);
    EXPECT_EQ(faulty.batches, plain.batches);
    EXPECT_GT(faulty.retries, 0u);
  }
  for (const ServeFault fault :
       {ServeFault::kSlowDown, ServeFault::kResetBefore, ServeFault::kResetBody, ServeFault::kTruncate}) {
    EXPECT_GT(server_.counters().of(fault).value(), 0u) << ServeFaultName(fault);
  }
}

}  // namespace
}  // namespace bucketline::testing
