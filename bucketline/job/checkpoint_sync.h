// CheckpointSync: keeps a prefix of a store like the checkpoint folders of a job's hosts.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "bucketline/base/clock.h"
#include "bucketline/base/log.h"
#include "bucketline/runtime/runtime.h"

namespace bucketline {

struct CheckpointOptions {
  Duration interval = std::chrono::seconds(1);  // between two looks at the folders
  LogSink log = LogToStderr();
};

struct CheckpointCounts {
  uint64_t restored = 0;  // files, of all hosts
  uint64_t uploaded = 0;
  uint64_t deleted = 0;
  uint64_t failed = 0;  // attempts that are, or will be, tried again
};

// Each host is on its own, and all share the prefix: what any of them writes is uploaded below it, what any of them deletes
// is deleted there. A file is uploaded when it has stayed as it is for one interval, or at the end. What appears in the store
// later is not pulled. Thread-safe.
class CheckpointSync {
 public:
  // Brings every object below `uri` into every folder, which must be there, then begins to look. Throws what the store
  // says; kInvalidArgument for keys that cannot be files.
  CheckpointSync(Runtime& runtime, const std::string& uri, std::vector<std::string> folders,
                 const CheckpointOptions& options, const std::stop_token& stop);
  ~CheckpointSync();  // uploads nothing more
  CheckpointSync(const CheckpointSync&) = delete;
  CheckpointSync& operator=(const CheckpointSync&) = delete;

  // The last look, when nobody writes any more: what remains to be done is done. Throws the first failure; kCancelled
  // when stopped.
  void Finish(const std::stop_token& stop);

  CheckpointCounts counts() const;

 private:
  // What tells that a file was written.
  struct Version {
    uint64_t inode = 0;
    uint64_t size = 0;
    int64_t modified_ns = 0;
    friend bool operator==(const Version&, const Version&) = default;
  };
  using Versions = std::map<std::string, Version>;  // by the path below the folder
  struct Host {
    std::string folder;
    Versions synced;  // as the store has them
    Versions seen;    // at the last look
  };

  void Restore(Runtime& runtime, const std::string& uri, const std::stop_token& stop);
  void Run(const std::stop_token& stop);
  void SyncAll(bool last, const std::stop_token& stop, const std::function<void(const Error&)>& failed);
  void SyncHost(Host& host, bool last, const std::stop_token& stop,
                const std::function<void(const Error&)>& failed);
  static Versions Look(const std::string& folder);  // throws when any folder could not be looked into

  const CheckpointOptions options_;
  const std::shared_ptr<ObjectStore> store_;
  const std::string prefix_;  // of keys: "" or with a "/" at its end
  std::mutex sync_mutex_;     // guards hosts_
  std::vector<Host> hosts_;
  mutable std::mutex counts_mutex_;
  CheckpointCounts counts_;
  std::stop_source stop_;
  std::thread thread_;
};

}  // namespace bucketline
