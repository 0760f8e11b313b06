#include "tests/support/moto.h"

#include <stdexcept>

namespace bucketline::testing {

Moto::Moto(const std::string& program)
    : S3TestServer("moto", "/moto-api/data.json", [&](const Keys&, int port, const std::filesystem::path&) {
        return ServerProcess::Command{.words = {program, "-H", "127.0.0.1", "-p", std::to_string(port)},
                                      .variables = {}};
      }) {}

void Moto::Make(const std::string& bucket) {
  if (process().Request("PUT", "/" + bucket) != 200) throw std::runtime_error("moto makes no bucket");
}

}  // namespace bucketline::testing
