// S3Store against a real server, over real sockets.
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tests/contract/store_contract.h"
#include "tests/support/versitygw.h"
#include <gtest/gtest.h>

#include "bucketline/exec/timer.h"
#include "bucketline/http/curl_transport.h"
#include "bucketline/s3/retry_policy.h"
#include "bucketline/s3/s3_store.h"

namespace bucketline::testing {
namespace {

// One server for all cases of this program; each case has a bucket of its own.
class ServerEnvironment : public ::testing::Environment {
 public:
  void SetUp() override {
    const std::string program = Versitygw::FindProgram();
    if (!program.empty()) server_.emplace(program);
  }
  void TearDown() override { server_.reset(); }

  std::optional<Versitygw>& server() { return server_; }

 private:
  std::optional<Versitygw> server_;
};

ServerEnvironment* const kEnvironment = new ServerEnvironment;  // GoogleTest's, once it is registered

struct Backing {
  std::unique_ptr<HttpTransport> transport = MakeCurlTransport({.threads = 2, .connections_per_thread = 64});
  Timer timer;
  RetryBudget budget;
  S3Counters counters;
};

// A skip or failure while a case is made keeps GoogleTest from running it.
void SkipOrFailWithoutServer() {
  const char* ci = std::getenv("CI");
  const char* reason = "versitygw is not installed: set BUCKETLINE_VERSITYGW, or put it into PATH";
  if (ci != nullptr && std::string_view(ci) == "true") FAIL() << reason;
  GTEST_SKIP() << reason;
}

void SkipWhatTheServerRewrites() {
  GTEST_SKIP() << "versitygw takes such a key and lists it as another: a//b as a/b";
}

// The server cleans the paths of its files, so these keys are neither kept nor refused.
bool IsAboutPathsThatItCleans(std::string_view test) {
  return test.starts_with("EmptySegments") || test.starts_with("DotSegments");
}

LiveStore MakeLiveStore() {
  std::optional<Versitygw>& server = kEnvironment->server();
  if (!server) {
    SkipOrFailWithoutServer();
    return {};
  }
  if (IsAboutPathsThatItCleans(::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    SkipWhatTheServerRewrites();
    return {};
  }
  const auto backing = std::make_shared<Backing>();
  S3Environment environment;
  environment.transport = backing->transport.get();
  environment.timer = &backing->timer;
  environment.retry_budget = &backing->budget;
  environment.counters = &backing->counters;
  // With every checksum that there is, as at AWS.
  environment.variables = [](const char* name) -> std::optional<std::string> {
    if (std::string_view(name) == "AWS_RESPONSE_CHECKSUM_VALIDATION" ||
        std::string_view(name) == "AWS_REQUEST_CHECKSUM_CALCULATION") {
      return "when_supported";
    }
    return std::nullopt;
  };
  S3Options options = server->Options();
  options.multipart_part_size = uint64_t{5} << 20;
  return {backing, MakeS3Store(server->MakeBucket(), options, environment)};
}

StoreFixture Fixture() {
  StoreFixture fixture;
  fixture.name = "Versitygw";
  fixture.make = MakeLiveStore;
  fixture.supports_key_below_key = false;  // objects are files
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
