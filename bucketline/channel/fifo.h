// Fifo: a named pipe of one epoch, and its one writing end.
#pragma once

#include <mutex>
#include <string>

#include "bucketline/store/unique_fd.h"

namespace bucketline {

// Thread-safe. Whatever becomes of its name, the FIFO is the one that was made.
class Fifo {
 public:
  // Makes it. Throws kAlreadyExists when something is at `path`, and what the file system says.
  explicit Fifo(std::string path);
  ~Fifo();  // Remove()
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;

  const std::string& path() const { return path_; }

  // Waits until a reader has opened it, or for Release. The descriptor does not block. For one thread.
  UniqueFd OpenForWriting();

  // Takes its name away; who has it open keeps it. Idempotent.
  void Remove();

  // Ends OpenForWriting, now and from now on, after Remove: no reader can come and take that for an empty epoch.
  void Release();

 private:
  UniqueFd Open(int flags, const char* what) const;

  const std::string path_;
  std::mutex mutex_;  // guards what follows
  bool named_ = false;
  UniqueFd place_;    // O_PATH: reaches it without its name
  UniqueFd spare_;    // makes room for it: Release must not fail when there is no descriptor left
  UniqueFd reading_;  // lets OpenForWriting through
};

}  // namespace bucketline
