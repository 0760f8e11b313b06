// Versitygw: a real S3 server (https://github.com/versity/versitygw) for tests.
#pragma once

#include <string>

#include "tests/support/server_process.h"

#include "bucketline/s3/s3_store.h"

namespace bucketline::testing {

// Serves a temporary folder, with keys of its own.
class Versitygw {
 public:
  // The server's program: BUCKETLINE_VERSITYGW, else "versitygw" in PATH; "" when there is none.
  static std::string FindProgram();

  explicit Versitygw(const std::string& program);  // throws as ServerProcess does

  // How to reach it: endpoint, region, keys.
  S3Options Options() const;

  // The folder of a bucket's objects, which are files.
  std::filesystem::path PathOf(const std::string& bucket) const {
    return process_.folder() / "data" / bucket;
  }

  // A new, empty bucket; its name.
  std::string MakeBucket();

 private:
  const std::string access_key_ = "test" + RandomHex(12);
  const std::string secret_key_ = RandomHex(32);
  ServerProcess process_;
  int buckets_ = 0;
};

}  // namespace bucketline::testing
