// S3Store against a real server, over real sockets.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "tests/contract/store_contract.h"
#include "tests/support/versitygw.h"
#include <gtest/gtest.h>

#include "bucketline/exec/timer.h"
#include "bucketline/http/curl_transport.h"
#include "bucketline/s3/retry_policy.h"
#include "bucketline/s3/s3_store.h"

namespace bucketline::testing {
namespace {

// One server for all cases of this program; each case has a bucket of its own. A missing server is a visible
// skip on a laptop and a failure in CI.
class ServerEnvironment : public ::testing::Environment {
 public:
  void SetUp() override {
    const std::string program = Versitygw::FindProgram();
    if (!program.empty()) {
      server_ = std::make_unique<Versitygw>(program);
      return;
    }
    const char* ci = std::getenv("CI");
    const std::string reason = "versitygw is not installed: set BUCKETLINE_VERSITYGW, or put it into PATH";
    if (ci != nullptr && std::string(ci) == "true") FAIL() << reason;
    // GoogleTest skips all cases without a word on each; this is the line that ctest and people look for.
    std::printf("[  SKIPPED ] %s\n", reason.c_str());
    GTEST_SKIP() << reason;
  }
  void TearDown() override { server_.reset(); }

  Versitygw& server() { return *server_; }

 private:
  std::unique_ptr<Versitygw> server_;
};

ServerEnvironment* const kEnvironment = new ServerEnvironment;  // GoogleTest's, once it is registered

struct Backing {
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
  S3Options options = kEnvironment->server().Options();
  options.multipart_part_size = uint64_t{5} << 20;
  return {backing, MakeS3Store(kEnvironment->server().MakeBucket(), options, environment)};
}

StoreFixture Fixture() {
  StoreFixture fixture;
  fixture.name = "Versitygw";
  fixture.make = MakeLiveStore;
  // The server keeps objects as files.
  fixture.supports_key_below_key = false;
  fixture.supports_empty_segments = true;
  fixture.supports_dot_segments = true;
  fixture.supports_control_bytes = false;  // its listing has U+FFFD for them, url-encoded or not
  fixture.deadline = std::chrono::seconds(60);
  return fixture;
}

INSTANTIATE_TEST_SUITE_P(S3, StoreContract, ::testing::Values(Fixture()), FixtureName);

}  // namespace
}  // namespace bucketline::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::AddGlobalTestEnvironment(bucketline::testing::kEnvironment);
  return RUN_ALL_TESTS();
}
