// S3Store against a real server, over real sockets.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tests/contract/store_contract.h"
#include "tests/support/ceph_rgw.h"
#include "tests/support/minio.h"
#include "tests/support/moto.h"
#include "tests/support/versitygw.h"
#include <gtest/gtest.h>

#include "bucketline/exec/timer.h"
#include "bucketline/http/curl_transport.h"
#include "bucketline/s3/retry_policy.h"
#include "bucketline/s3/s3_store.h"

namespace bucketline::testing {
namespace {

// One server of each kind for all cases of this program; each case has a bucket of its own.
template <typename S>
class ServerEnvironment : public ::testing::Environment {
 public:
  void TearDown() override { server_.reset(); }

  // Started by the first case that wants it; nullptr without its program.
  S* server() {
    const std::string program = server_ ? "" : S::FindProgram();
    if (!program.empty()) server_.emplace(program);
    return server_ ? &*server_ : nullptr;
  }

 private:
  std::optional<S> server_;
};

// GoogleTest's, once they are registered.
ServerEnvironment<Versitygw>* const kVersitygw = new ServerEnvironment<Versitygw>;
ServerEnvironment<Minio>* const kMinio = new ServerEnvironment<Minio>;
ServerEnvironment<Moto>* const kMoto = new ServerEnvironment<Moto>;
ServerEnvironment<CephRgw>* const kCephRgw = new ServerEnvironment<CephRgw>;

struct Backing {
  std::unique_ptr<HttpTransport> transport = MakeCurlTransport({.threads = 2, .connections_per_thread = 64});
  Timer timer;
  RetryBudget budget;
  S3Counters counters;
};

// Every checksum that there is, as at AWS.
std::optional<std::string> WithChecksums(const char* name) {
  const std::string_view variable(name);
  if (variable == "AWS_RESPONSE_CHECKSUM_VALIDATION" || variable == "AWS_REQUEST_CHECKSUM_CALCULATION")
    return "when_supported";
  return std::nullopt;
}

// A store in a new bucket.
template <typename S>
LiveStore OpenStore(S& server, EnvironmentVariables variables) {
  const auto backing = std::make_shared<Backing>();
  S3Environment environment;
  environment.transport = backing->transport.get();
  environment.timer = &backing->timer;
  environment.retry_budget = &backing->budget;
  environment.counters = &backing->counters;
  environment.variables = std::move(variables);
  S3Options options = server.Options();
  options.multipart_part_size = uint64_t{5} << 20;
  return {backing, MakeS3Store(server.MakeBucket(), options, environment)};
}

std::string TestName() { return ::testing::UnitTest::GetInstance()->current_test_info()->name(); }

// A skip or failure while a case is made keeps GoogleTest from running it.
void SkipBecause(const char* reason) { GTEST_SKIP() << reason; }

// The server cleans the paths of its files, so these keys are neither kept nor refused.
bool IsAboutPathsThatVersitygwCleans(const std::string& test) {
  return test.starts_with("EmptySegments") || test.starts_with("DotSegments");
}

LiveStore MakeOnVersitygw() {
  auto* const server = kVersitygw->server();
  if (server == nullptr) {
    SkipOrFailWithout("versitygw", "BUCKETLINE_VERSITYGW");
    return {};
  }
  if (IsAboutPathsThatVersitygwCleans(TestName())) {
    SkipBecause("versitygw takes such a key and lists it as another: a//b as a/b");
    return {};
  }
  return OpenStore(*server, WithChecksums);
}

LiveStore MakeOnMinio() {
  auto* const server = kMinio->server();
  if (server == nullptr) {
    SkipOrFailWithout("minio", "BUCKETLINE_MINIO");
    return {};
  }
  const std::string test = TestName();
  if (test.starts_with("EmptySegments") || test.starts_with("DotSegments")) {
    SkipBecause(
        "MinIO refuses such keys when they are written: XMinioInvalidObjectName, XMinioInvalidResourceName");
    return {};
  }
  if (test.starts_with("AKeyMayLieBelowAnother")) {
    SkipBecause("MinIO takes a/b below the object a but does not list it, whoever asks");
    return {};
  }
  return OpenStore(*server, WithChecksums);
}

LiveStore MakeOnMoto() {
  auto* const server = kMoto->server();
  if (server == nullptr) {
    SkipOrFailWithout("moto_server", "BUCKETLINE_MOTO");
    return {};
  }
  // Without checksums: it calls the sum of the parts' sums one of the full object.
  return OpenStore(*server, [](const char*) { return std::nullopt; });
}

LiveStore MakeOnCephRgw() {
  auto* const server = kCephRgw->server();
  if (server == nullptr) {
    SkipBecause("Ceph RGW does not run: ./run soak ceph starts it");
    return {};
  }
  return OpenStore(*server, WithChecksums);
}

StoreFixture OnVersitygw() {
  StoreFixture fixture;
  fixture.name = "Versitygw";
  fixture.make = MakeOnVersitygw;
  fixture.supports_key_below_key = false;  // objects are files
  fixture.supports_control_bytes = false;  // its listing has U+FFFD for them, url-encoded or not
  fixture.deadline = std::chrono::seconds(120);
  return fixture;
}

StoreFixture OnMinio() {
  StoreFixture fixture;
  fixture.name = "Minio";
  // Asked for one key below a prefix that is an object's key, it answers with that object alone and says that there is
  // no more.
  fixture.supports_pages_of_one = false;
  fixture.make = MakeOnMinio;
  fixture.supports_start_after = false;  // a page of few keys after a start says that it is the last
  fixture.deadline = std::chrono::seconds(120);
  return fixture;
}

StoreFixture OnMoto() {
  StoreFixture fixture;
  fixture.name = "Moto";
  fixture.make = MakeOnMoto;
  fixture.supports_control_bytes = false;  // its router answers HTML
  fixture.deadline = std::chrono::seconds(120);
  return fixture;
}

// In the long run only: its packages are many.
StoreFixture OnCephRgw() {
  StoreFixture fixture;
  fixture.name = "CephRgw";
  fixture.make = MakeOnCephRgw;
  fixture.deadline = std::chrono::seconds(120);
  return fixture;
}

INSTANTIATE_TEST_SUITE_P(S3, StoreContract,
                         ::testing::Values(OnVersitygw(), OnMinio(), OnMoto(), OnCephRgw()), FixtureName);

}  // namespace
}  // namespace bucketline::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::AddGlobalTestEnvironment(bucketline::testing::kVersitygw);
  ::testing::AddGlobalTestEnvironment(bucketline::testing::kMinio);
  ::testing::AddGlobalTestEnvironment(bucketline::testing::kMoto);
  ::testing::AddGlobalTestEnvironment(bucketline::testing::kCephRgw);
  return RUN_ALL_TESTS();
}
