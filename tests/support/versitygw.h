// Versitygw: a real S3 server (https://github.com/versity/versitygw) for tests, started on a free loopback
// port.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <sys/types.h>

#include "bucketline/s3/s3_store.h"

namespace bucketline::testing {

// Serves a temporary folder with keys of its own. The destructor ends the process, by its id, and removes the
// folder; the kernel ends it when the test dies first.
class Versitygw {
 public:
  // The server's program: BUCKETLINE_VERSITYGW, else "versitygw" in PATH; "" when there is none.
  static std::string FindProgram();

  // Throws std::runtime_error when it is not ready in 30 s; its output stands in the message.
  explicit Versitygw(const std::string& program);
  ~Versitygw();
  Versitygw(const Versitygw&) = delete;
  Versitygw& operator=(const Versitygw&) = delete;

  // How to reach it: endpoint, region, keys.
  S3Options Options() const;

  // A new, empty bucket; its name.
  std::string MakeBucket();

 private:
  void Spawn(const std::string& program);
  bool Ready() const;
  void Stop();

  std::filesystem::path folder_;
  std::string access_key_;
  std::string secret_key_;
  int port_ = 0;
  pid_t pid_ = -1;
  int buckets_ = 0;
};

}  // namespace bucketline::testing
