// Minio: MinIO, the second S3 server for tests.
#pragma once

#include <string>

#include "tests/support/server_process.h"

#include "bucketline/s3/s3_store.h"

namespace bucketline::testing {

class Minio {
 public:
  // The server's program: BUCKETLINE_MINIO, else "minio" in PATH; "" when there is none.
  static std::string FindProgram() { return ServerProcess::FindProgram("BUCKETLINE_MINIO", "minio"); }

  explicit Minio(const std::string& program);  // throws as ServerProcess does

  // How to reach it: endpoint, region, keys.
  S3Options Options() const;

  // A new, empty bucket; its name.
  std::string MakeBucket();

 private:
  const std::string access_key_ = "test" + RandomHex(12);
  const std::string secret_key_ = RandomHex(32);
  ServerProcess process_;
  int buckets_ = 0;
};

}  // namespace bucketline::testing
