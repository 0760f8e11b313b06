// S3TestServer: what the S3 servers for tests have in common: keys of their own, and numbered buckets.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "tests/support/server_process.h"

#include "bucketline/s3/s3_store.h"

namespace bucketline::testing {

class S3TestServer {
 public:
  virtual ~S3TestServer() = default;

  // How to reach it: endpoint, region, keys.
  S3Options Options() const;

  // A new, empty bucket; its name.
  std::string MakeBucket();

 protected:
  struct Keys {
    std::string access = "test" + RandomHex(12);
    std::string secret = RandomHex(32);
  };
  // `data` is an empty folder for its buckets.
  using MakeCommand =
      std::function<ServerProcess::Command(const Keys& keys, int port, const std::filesystem::path& data)>;

  // Throws as ServerProcess does.
  S3TestServer(const std::string& name, std::string health, const MakeCommand& make);

  const ServerProcess& process() const { return process_; }
  std::filesystem::path data() const { return process_.folder() / "data"; }

 private:
  // Unless told otherwise a bucket is a folder of `data`.
  virtual void Make(const std::string& bucket);

  const Keys keys_;
  ServerProcess process_;
  int buckets_ = 0;
};

}  // namespace bucketline::testing
