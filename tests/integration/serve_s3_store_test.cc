// The S3 client against the project's own endpoint while that misbehaves: exact bytes or a clear error.
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/exec/timer.h"
#include "bucketline/http/curl_transport.h"
#include "bucketline/s3/retry_policy.h"
#include "bucketline/s3/s3_store.h"
#include "bucketline/serve/server.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

using std::chrono::milliseconds;

class ServeS3StoreTest : public ::testing::Test {
 protected:
  ServeS3StoreTest() { server_.buckets().Create("bucket"); }

  S3Options Options() const {
    S3Options options;
    options.endpoint_url = server_.endpoint_url();
    options.region = "us-east-1";
    options.access_key_id = server_.access_key_id();
    options.secret_access_key = server_.secret_access_key();
    return options;
  }

  std::unique_ptr<ObjectStore> Store(const S3Options& options) {
    S3Environment environment;
    environment.transport = transport_.get();
    environment.timer = &timer_;
    environment.retry_budget = &budget_;
    environment.counters = &counters_;
    environment.random = [] { return 0.01; };  // short waits
    return MakeS3Store("bucket", options, environment);
  }

  void Put(const std::string& key, std::string_view content) {
    PutBytes(*server_.buckets().Find("bucket"), key, content);
  }

  ErrorCode GetError(const S3Options& options, const std::string& key) {
    try {
      GetBytes(*Store(options), key);
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "no error";
    return ErrorCode::kInternal;
  }

  Server server_{{}, MakeMemoryBuckets()};
  std::unique_ptr<HttpTransport> transport_ = MakeCurlTransport();
  Timer timer_;
  RetryBudget budget_{100'000};
  S3Counters counters_;
};

// Every byte differs from its neighbours, so that a misplaced one shows.
std::string Ramp(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 131 + (i >> 8));
  return text;
}

TEST_F(ServeS3StoreTest, EveryFaultIsSurvivedWithExactBytes) {
  for (int i = 0; i < 40; ++i) Put("k" + std::to_string(i), Ramp(50'000 * i));
  FaultPlan plan;
  plan.slow_down = plan.reset_before = plan.reset_body = plan.truncate = 0.12;
  plan.seed = 3;
  server_.SetFaults(plan);
  const std::unique_ptr<ObjectStore> store = Store(Options());
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(GetBytes(*store, "k" + std::to_string(i)).view() == Ramp(50'000 * i)) << i;
  }
  for (const ServeFault fault :
       {ServeFault::kSlowDown, ServeFault::kResetBefore, ServeFault::kResetBody, ServeFault::kTruncate}) {
    EXPECT_GT(server_.counters().of(fault).value(), 0u) << ServeFaultName(fault);
  }
  EXPECT_GT(counters_.retries.value(), 0u);
}

TEST_F(ServeS3StoreTest, AStallEndsAtItsDeadline) {
  Put("k", Ramp(100'000));
  FaultPlan plan;
  plan.stall = 1;
  server_.SetFaults(plan);
  S3Options options = Options();
  options.max_attempts = 2;
  options.attempt.stall = milliseconds(300);
  EXPECT_EQ(GetError(options, "k"), ErrorCode::kTimeout);
  EXPECT_EQ(server_.counters().of(ServeFault::kStall).value(), 2u);
}

TEST_F(ServeS3StoreTest, WritesSurviveFaultsToo) {
  FaultPlan plan;
  plan.slow_down = plan.reset_before = 0.2;
  plan.data_only = false;
  plan.seed = 11;
  server_.SetFaults(plan);
  S3Options options = Options();
  options.multipart_part_size = uint64_t{5} << 20;
  const std::unique_ptr<ObjectStore> store = Store(options);
  const std::string large = Ramp(17'000'000);
  PutBytes(*store, "large", large);
  for (int i = 0; i < 10; ++i) PutBytes(*store, "small" + std::to_string(i), Ramp(i));
  server_.SetFaults({});
  EXPECT_TRUE(GetBytes(*store, "large").view() == large);
  EXPECT_EQ(ListAll(*store, "small").size(), 10u);
}

TEST_F(ServeS3StoreTest, RefusalsAreNamed) {
  Put("k", "content");
  S3Options options = Options();
  EXPECT_EQ(GetError(options, "missing"), ErrorCode::kNotFound);
  options.secret_access_key = "wrong";
  EXPECT_EQ(GetError(options, "k"), ErrorCode::kUnauthenticated);
  options.access_key_id = "AKIDUNKNOWN";
  EXPECT_EQ(GetError(options, "k"), ErrorCode::kUnauthenticated);
  S3Options anonymous = Options();
  anonymous.anonymous = true;
  anonymous.access_key_id = anonymous.secret_access_key = "";
  EXPECT_EQ(GetError(anonymous, "k"), ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace bucketline
