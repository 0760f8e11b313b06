#include "tests/support/moto.h"

#include <stdexcept>

namespace bucketline::testing {

Moto::Moto(const std::string& program)
    : process_("moto", "/moto-api/data.json", [&](int port, const std::filesystem::path&) {
        return ServerProcess::Command{.words = {program, "-H", "127.0.0.1", "-p", std::to_string(port)},
                                      .variables = {}};
      }) {}

S3Options Moto::Options() const {
  S3Options options;
  options.endpoint_url = process_.Url();
  options.region = "us-east-1";
  options.access_key_id = access_key_;
  options.secret_access_key = secret_key_;
  return options;
}

std::string Moto::MakeBucket() {
  const std::string name = "bucket-" + std::to_string(++buckets_);
  if (process_.Request("PUT", "/" + name) != 200) throw std::runtime_error("moto makes no bucket");
  return name;
}

}  // namespace bucketline::testing
