// Fifo: a named pipe of one epoch, from its making to its first reader.
#pragma once

#include <string>

#include "bucketline/store/unique_fd.h"

namespace bucketline {

// Both ends are open from the beginning, so that a reader's open never waits; its coming is told by inotify, even when
// it has gone again. (A thread that waited in open() would miss a reader that came and went before it got there, and could
// not be stopped.) Whatever becomes of its name, the FIFO is the one that was made. Not thread-safe.
class Fifo {
 public:
  // Makes it; its name appears when all is ready. Throws kAlreadyExists when something is at `path`, and what the system
  // says.
  explicit Fifo(std::string path);
  ~Fifo();  // Remove()
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;

  const std::string& path() const { return path_; }

  // Waits until a reader has opened it; false when `stop_fd` is readable before. A removal of its name is no reader.
  bool AwaitReader(int stop_fd);

  // The one writing end, which does not block. From now on it fails with EPIPE when no reader is left. Once.
  UniqueFd TakeWriting();

  // Takes its name away; who has it open keeps it. Idempotent.
  void Remove();

 private:
  bool WasOpened();  // since the last time

  const std::string path_;
  bool named_ = false;
  UniqueFd opened_;   // inotify
  UniqueFd reading_;  // keeps the pipe open until there is a reader
  UniqueFd writing_;
};

}  // namespace bucketline
