#include "tests/support/minio.h"

namespace bucketline::testing {

Minio::Minio(const std::string& program)
    : process_("minio", "/minio/health/ready", [&](int port, const std::filesystem::path& folder) {
        std::filesystem::create_directories(folder / "data");
        return ServerProcess::Command{
            .words = {program, "server", "--quiet", "--address", "127.0.0.1:" + std::to_string(port),
                      (folder / "data").string()},
            .variables = {"MINIO_ROOT_USER=" + access_key_, "MINIO_ROOT_PASSWORD=" + secret_key_,
                          "MINIO_BROWSER=off", "MINIO_UPDATE=off"}};
      }) {}

S3Options Minio::Options() const {
  S3Options options;
  options.endpoint_url = process_.Url();
  options.region = "us-east-1";
  options.access_key_id = access_key_;
  options.secret_access_key = secret_key_;
  return options;
}

std::string Minio::MakeBucket() {
  const std::string name = "bucket-" + std::to_string(++buckets_);
  // What a folder of its only drive is to this server.
  std::filesystem::create_directory(process_.folder() / "data" / name);
  return name;
}

}  // namespace bucketline::testing
