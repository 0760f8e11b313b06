#include "tests/support/s3_test_server.h"

namespace bucketline::testing {

S3TestServer::S3TestServer(const std::string& name, std::string health, const MakeCommand& make)
    : process_(name, std::move(health), [&](int port, const std::filesystem::path& folder) {
        std::filesystem::create_directories(folder / "data");
        return make(keys_, port, folder / "data");
      }) {}

S3Options S3TestServer::Options() const {
  S3Options options;
  options.endpoint_url = process_.Url();
  options.region = "us-east-1";
  options.access_key_id = keys_.access;
  options.secret_access_key = keys_.secret;
  return options;
}

std::string S3TestServer::MakeBucket() {
  const std::string name = "bucket-" + std::to_string(++buckets_);
  Make(name);
  return name;
}

void S3TestServer::Make(const std::string& bucket) { std::filesystem::create_directory(data() / bucket); }

}  // namespace bucketline::testing
