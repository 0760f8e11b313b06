// S3Store against the project's own endpoint over memory, which can do everything. (Over a folder keys are refused
// when they are committed, not when they are opened: python/tests/test_serve_boto3.py covers that.)
#include <memory>
#include <string>

#include "tests/contract/store_contract.h"
#include <gtest/gtest.h>

#include "bucketline/exec/timer.h"
#include "bucketline/http/curl_transport.h"
#include "bucketline/s3/retry_policy.h"
#include "bucketline/s3/s3_store.h"
#include "bucketline/serve/server.h"

namespace bucketline::testing {
namespace {

// In the order of their lives: the client's parts go first, the server last.
struct Backing {
  Server server{{}, MakeMemoryBuckets()};
  std::unique_ptr<HttpTransport> transport = MakeCurlTransport({.threads = 2, .connections_per_thread = 64});
  Timer timer;
  RetryBudget budget;
  S3Counters counters;
};

LiveStore MakeLiveStore() {
  const auto backing = std::make_shared<Backing>();
  S3Environment environment;
  environment.transport = backing->transport.get();
  environment.timer = &backing->timer;
  environment.retry_budget = &backing->budget;
  environment.counters = &backing->counters;
  S3Options options;
  options.endpoint_url = backing->server.endpoint_url();
  options.region = "us-east-1";
  options.access_key_id = backing->server.access_key_id();
  options.secret_access_key = backing->server.secret_access_key();
  options.multipart_part_size = uint64_t{5} << 20;
  backing->server.buckets().Create("bucket");
  return {backing, MakeS3Store("bucket", options, environment)};
}

StoreFixture OverMemory() {
  StoreFixture fixture;
  fixture.name = "ServeMemory";
  fixture.make = MakeLiveStore;
  fixture.deadline = std::chrono::seconds(120);
  return fixture;
}

INSTANTIATE_TEST_SUITE_P(Serve, StoreContract, ::testing::Values(OverMemory()), FixtureName);

}  // namespace
}  // namespace bucketline::testing
