#include "tests/support/versitygw.h"

namespace bucketline::testing {

std::string Versitygw::FindProgram() {
  return ServerProcess::FindProgram("BUCKETLINE_VERSITYGW", "versitygw");
}

Versitygw::Versitygw(const std::string& program)
    : process_("versitygw", "/health", [&](int port, const std::filesystem::path& folder) {
        std::filesystem::create_directories(folder / "data");
        return ServerProcess::Command{
            .words = {program, "--port", "127.0.0.1:" + std::to_string(port), "--quiet", "--keep-alive",
                      "--health", "/health", "posix", (folder / "data").string()},
            .variables = {"ROOT_ACCESS_KEY=" + access_key_, "ROOT_SECRET_KEY=" + secret_key_}};
      }) {}

S3Options Versitygw::Options() const {
  S3Options options;
  options.endpoint_url = process_.Url();
  options.region = "us-east-1";
  options.access_key_id = access_key_;
  options.secret_access_key = secret_key_;
  return options;
}

std::string Versitygw::MakeBucket() {
  const std::string name = "bucket-" + std::to_string(++buckets_);
  // What a folder of its root is to this server.
  std::filesystem::create_directory(process_.folder() / "data" / name);
  return name;
}

}  // namespace bucketline::testing
