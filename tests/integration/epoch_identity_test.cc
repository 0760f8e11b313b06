// One epoch gives the same bytes whatever happens on the way: threads, memory, 503s, resets, cut bodies.
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/random.h"
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

// Everything but stalls, which only deadlines end.
FaultPlan RandomMix(CounterRng& random) {
  FaultPlan plan;
  plan.seed = random.NextU64();
  for (double* share : {&plan.slow_down, &plan.reset_before, &plan.reset_body, &plan.truncate}) {
    *share = random.NextDouble() < 0.25 ? 0 : 0.08 * random.NextDouble();
  }
  if (random.NextBelow(3) == 0) plan.latency = std::chrono::milliseconds(random.NextBelow(5));
  if (random.NextBelow(3) == 0) plan.most_at_once = 8 + random.NextBelow(32);
  return plan;
}

TEST_F(EpochIdentity, AnyMixOfFaultsChangesNothing) {
  const Run plain = Load(2, 64_MiB);
  uint64_t retries = 0;
  for (int i = 0, mixes = SoakCount("BUCKETLINE_SOAK_FAULTS", 3); i < mixes; ++i) {
    SCOPED_TRACE("mix " + std::to_string(i));
    CounterRng random(23, 0, static_cast<uint64_t>(i));
    server_.SetFaults(RandomMix(random));
    const Run faulty =
        Load(1 + random.NextBelow(8), random.NextBelow(2) == 0 ? 64_MiB : 1_GiB, random.NextBelow(2) == 0);
    ASSERT_EQ(faulty.batches, plain.batches);
    retries += faulty.retries;
  }
  EXPECT_GT(retries, 0u);
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
