// Engine: the Runtime behind every s3:// path of this process, and where a path lies.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <sys/types.h>

#include "bucketline/runtime/runtime.h"
#include "bucketline/store/object_store.h"

namespace bucketline::tf {

class Engine;

// An object, or a folder: all keys below one that ends with "/".
struct Place {
  const Engine* engine;
  std::shared_ptr<ObjectStore> store;
  std::string key;

  std::string uri() const { return store->UriOf(key); }
  // The prefix of what lies below: the key with a "/" at its end, "" for a whole bucket.
  std::string folder() const { return key.empty() || key.ends_with('/') ? key : key + "/"; }
  // That of another key in the same bucket.
  Place At(std::string other) const { return {engine, store, std::move(other)}; }
};

// Thread-safe. The Runtime is made on first use, with the default credentials and AWS_ENDPOINT_URL_S3, and never
// destroyed: TensorFlow may read until the process ends.
class Engine {
 public:
  // `ca_bundle`: certificates to trust, as of RuntimeOptions.
  explicit Engine(std::string ca_bundle) : ca_bundle_(std::move(ca_bundle)) {}

  // Of "s3://bucket/key". Throws kInvalidArgument, and as CheckProcess does.
  Place Locate(std::string_view path);

  // Throws kInternal in a process that was forked after first use: the threads are not there. Takes no lock.
  void CheckProcess() const;

 private:
  Runtime& runtime();

  const std::string ca_bundle_;
  std::atomic<pid_t> process_{0};  // that of the Runtime; 0: there is none yet
  std::atomic<Runtime*> runtime_{nullptr};
};

}  // namespace bucketline::tf
