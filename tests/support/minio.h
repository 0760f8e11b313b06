// Minio: MinIO, the second S3 server for tests.
#pragma once

#include <string>

#include "tests/support/s3_test_server.h"

namespace bucketline::testing {

class Minio : public S3TestServer {
 public:
  // The server's program: BUCKETLINE_MINIO, else "minio" in PATH; "" when there is none.
  static std::string FindProgram() { return ServerProcess::FindProgram("BUCKETLINE_MINIO", "minio"); }

  explicit Minio(const std::string& program);
};

}  // namespace bucketline::testing
