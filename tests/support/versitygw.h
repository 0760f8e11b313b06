// Versitygw: a real S3 server (https://github.com/versity/versitygw) for tests.
#pragma once

#include <filesystem>
#include <string>

#include "tests/support/s3_test_server.h"

namespace bucketline::testing {

class Versitygw : public S3TestServer {
 public:
  // The server's program: BUCKETLINE_VERSITYGW, else "versitygw" in PATH; "" when there is none.
  static std::string FindProgram() { return ServerProcess::FindProgram("BUCKETLINE_VERSITYGW", "versitygw"); }

  // kKept: its buckets can be told to keep versions.
  enum class Versions { kNone, kKept };
  explicit Versitygw(const std::string& program, Versions versions = Versions::kNone);

  // The folder of a bucket's objects, which are files.
  std::filesystem::path PathOf(const std::string& bucket) const { return data() / bucket; }
};

}  // namespace bucketline::testing
