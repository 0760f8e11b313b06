#include "tests/support/ceph_rgw.h"

#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "tests/support/server_process.h"

#include "bucketline/exec/timer.h"
#include "bucketline/http/curl_transport.h"
#include "bucketline/s3/s3_client.h"

namespace bucketline::testing {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string CephRgw::FindProgram() { return Variable("BUCKETLINE_CEPH_RGW"); }

S3Options CephRgw::Options() const {
  S3Options options;
  options.endpoint_url = url_;
  options.region = "us-east-1";
  options.access_key_id = Variable("BUCKETLINE_CEPH_RGW_ACCESS_KEY");
  options.secret_access_key = Variable("BUCKETLINE_CEPH_RGW_SECRET_KEY");
  return options;
}

std::string CephRgw::MakeBucket() {
  // The cluster outlives this process, and so do its buckets.
  static const std::string kProcess = RandomHex(8);
  const std::string name = "bucket-" + kProcess + "-" + std::to_string(++buckets_);
  const std::unique_ptr<HttpTransport> transport = MakeCurlTransport({});
  Timer timer;
  RetryBudget budget;
  S3Counters counters;
  S3Environment environment;
  environment.transport = transport.get();
  environment.timer = &timer;
  environment.retry_budget = &budget;
  environment.counters = &counters;
  const auto client = std::make_shared<S3Client>(ResolveSettings(name, Options(), environment), environment);
  S3Request request;
  request.method = "PUT";
  const auto receiver = std::make_shared<DocumentReceiver>(
      client->ContextOf(request), [](const HttpResponseHead&, std::string_view) { return std::nullopt; });
  const S3Outcome outcome = client->Run(std::move(request), receiver);
  client->Shutdown();
  if (outcome.failure) throw outcome.failure->error;
  return name;
}

}  // namespace bucketline::testing
