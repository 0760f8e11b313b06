// A store that serves few requests at a time: the storm of refusals calms, and nothing is lost.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bucketline/runtime/runtime.h"
#include "bucketline/serve/server.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

class ThrottlingTest : public ::testing::Test {
 protected:
  ThrottlingTest() {
    server_.buckets().Create("data");
    for (int i = 0; i < kObjects; ++i) PutBytes(*server_.buckets().Find("data"), KeyOf(i), ContentOf(i));
    FaultPlan plan;
    plan.most_at_once = 8;
    // Long beside what a slow machine takes to send the first 32: they are there at a time, and the storm is a storm.
    plan.latency = std::chrono::milliseconds(25);
    server_.SetFaults(plan);
  }

  static std::string KeyOf(int i) { return "train/" + std::to_string(i); }
  static std::string ContentOf(int i) { return "content of " + std::to_string(i); }

  RuntimeOptions Options() const {
    RuntimeOptions options;
    options.log = LogToNowhere();
    options.s3.endpoint_url = server_.endpoint_url();
    options.s3.access_key_id = server_.access_key_id();
    options.s3.secret_access_key = server_.secret_access_key();
    options.s3.region = "us-east-1";
    return options;
  }

  // Reads every object, kReaders at a time as a loader does; how many refusals that took.
  uint64_t ReadAll(Runtime& runtime) {
    const uint64_t before = server_.counters().of(ServeFault::kSlowDown).value();
    const std::shared_ptr<ObjectStore> store = runtime.StoreFor(Uri::Parse("s3://data/"));
    struct Read {
      testing::Completion<ObjectInfo> done;
      std::shared_ptr<testing::VectorSink> sink = std::make_shared<testing::VectorSink>();
    };
    std::vector<Read> reads(kObjects);
    for (int i = 0; i < kObjects; ++i) {
      store->Get(testing::Whole(KeyOf(i)), reads[i].sink, reads[i].done.Done());
      if (i >= kReaders) (void)reads[i - kReaders].done.Wait();
    }
    for (int i = 0; i < kObjects; ++i) {
      const Result<ObjectInfo> result = reads[i].done.Wait();
      EXPECT_TRUE(result) << (result ? "" : result.error().what());
      const std::vector<uint8_t>& bytes = reads[i].sink->bytes();
      EXPECT_EQ(std::string(bytes.begin(), bytes.end()), ContentOf(i));
    }
    return server_.counters().of(ServeFault::kSlowDown).value() - before;
  }

  // Few: a pass also pays for looking now and then whether the store takes more.
  static constexpr int kObjects = 300;
  static constexpr int kReaders = 64;
  Server server_{{}, MakeMemoryBuckets()};
};

TEST_F(ThrottlingTest, AStormCalmsAndNothingIsLost) {
  Runtime runtime(Options());
  const uint64_t storm = ReadAll(runtime);
  const uint64_t calm = ReadAll(runtime);
  EXPECT_GT(storm, 10u);
  EXPECT_LT(calm, kObjects / 10);
  EXPECT_LT(calm * 2, storm);
  EXPECT_LE(runtime.concurrency().limit, 16u);
  EXPECT_GT(runtime.concurrency().backoffs, 0u);
  RecordProperty("storm", static_cast<int>(storm));
  RecordProperty("calm", static_cast<int>(calm));
}

}  // namespace
}  // namespace bucketline
