#include "tests/support/versitygw.h"

namespace bucketline::testing {

Versitygw::Versitygw(const std::string& program, Versions versions)
    : S3TestServer("versitygw", "/health",
                   [&](const Keys& keys, int port, const std::filesystem::path& data) {
                     ServerProcess::Command command{
                         .words = {program, "--port", "127.0.0.1:" + std::to_string(port), "--quiet",
                                   "--keep-alive", "--health", "/health", "posix"},
                         .variables = {"ROOT_ACCESS_KEY=" + keys.access, "ROOT_SECRET_KEY=" + keys.secret}};
                     if (versions == Versions::kKept) {
                       const std::filesystem::path kept = data.parent_path() / "versions";
                       std::filesystem::create_directories(kept);
                       command.words.insert(command.words.end(), {"--versioning-dir", kept.string()});
                     }
                     command.words.push_back(data.string());
                     return command;
                   }) {}

}  // namespace bucketline::testing
