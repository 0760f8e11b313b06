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
    uint64_t requests = 0;
    uint64_t hedges = 0;
    uint64_t hedges_won = 0;
  };

  Run Load(size_t threads, uint64_t memory, bool hedge = true, uint64_t epochs = 1) {
    RuntimeOptions runtime_options = Options();
    runtime_options.hedge = hedge;
    Runtime runtime(runtime_options);
    LoaderOptions options = SmallOptions(16);
    options.image.height = options.image.width = 64;
    options.image.type = PixelType::kFloat32;
    options.shuffle = true;
    options.seed = 11;
    options.epochs = epochs;
    options.threads = threads;
    options.memory = memory;
    Loader loader(Dataset::Open(runtime, "s3://data/train/", {.labels = Labels::Folder()}), options);
    std::vector<Given> batches;
    for (uint64_t i = 0; i < epochs; ++i) {
      for (Given& batch : RestOfEpoch(loader)) batches.push_back(std::move(batch));
    }
    EXPECT_LE(loader.Stats().budget_peak, memory);
    const S3Counters& counters = runtime.counters();
    return {std::move(batches), counters.retries.value(), counters.requests.value(), counters.hedges.value(),
            counters.hedges_won.value()};
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

TEST_F(EpochIdentity, AskingTwiceChangesNothing) {
  constexpr uint64_t kEpochs = 3;
  const Run plain = Load(2, 2_GiB, false, kEpochs);
  FaultPlan plan{.reset_body = 0.01, .truncate = 0.01, .seed = 5};
  plan.latency_median = std::chrono::milliseconds(10);
  plan.latency_p99 = std::chrono::milliseconds(400);
  server_.SetFaults(plan);
  const Run hedged = Load(2, 2_GiB, true, kEpochs);
  EXPECT_EQ(hedged.batches, plain.batches);
  EXPECT_GT(hedged.hedges, 0u);
  EXPECT_GT(hedged.hedges_won, 0u);
  EXPECT_LE(hedged.hedges * 100, hedged.requests * 3);
  const Run waiting = Load(2, 2_GiB, false, kEpochs);
  EXPECT_EQ(waiting.batches, plain.batches);
  EXPECT_EQ(waiting.hedges, 0u);
}

}  // namespace
}  // namespace bucketline::testing
