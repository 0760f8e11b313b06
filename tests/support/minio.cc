#include "tests/support/minio.h"

namespace bucketline::testing {

Minio::Minio(const std::string& program)
    : S3TestServer("minio", "/minio/health/ready",
                   [&](const Keys& keys, int port, const std::filesystem::path& data) {
                     return ServerProcess::Command{
                         .words = {program, "server", "--quiet", "--address",
                                   "127.0.0.1:" + std::to_string(port), data.string()},
                         .variables = {"MINIO_ROOT_USER=" + keys.access, "MINIO_ROOT_PASSWORD=" + keys.secret,
                                       "MINIO_BROWSER=off", "MINIO_UPDATE=off"}};
                   }) {}

}  // namespace bucketline::testing
