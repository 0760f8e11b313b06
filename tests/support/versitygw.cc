#include "tests/support/versitygw.h"

namespace bucketline::testing {

Versitygw::Versitygw(const std::string& program)
    : S3TestServer("versitygw", "/health",
                   [&](const Keys& keys, int port, const std::filesystem::path& data) {
                     return ServerProcess::Command{
                         .words = {program, "--port", "127.0.0.1:" + std::to_string(port), "--quiet",
                                   "--keep-alive", "--health", "/health", "posix", data.string()},
                         .variables = {"ROOT_ACCESS_KEY=" + keys.access, "ROOT_SECRET_KEY=" + keys.secret}};
                   }) {}

}  // namespace bucketline::testing
