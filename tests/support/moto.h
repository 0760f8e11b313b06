// Moto: moto, which looks like S3 but checks neither signatures nor checksums, for tests.
#pragma once

#include <string>

#include "tests/support/s3_test_server.h"

namespace bucketline::testing {

class Moto : public S3TestServer {
 public:
  // The server's program: BUCKETLINE_MOTO, else "moto_server" in PATH; "" when there is none.
  static std::string FindProgram() { return ServerProcess::FindProgram("BUCKETLINE_MOTO", "moto_server"); }

  explicit Moto(const std::string& program);

 private:
  void Make(const std::string& bucket) override;
};

}  // namespace bucketline::testing
