#include "tests/support/ceph_rgw.h"

#include <cstdlib>
#include <utility>

#include "tests/support/bare_request.h"
#include "tests/support/server_process.h"

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
  S3Request request;
  request.method = "PUT";
  SendBareRequest(name, Options(), std::move(request));
  return name;
}

}  // namespace bucketline::testing
