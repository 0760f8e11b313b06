// PipeFile: the reading end of one FIFO, with a deadline on each wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>

#include "bucketline/base/clock.h"
#include "bucketline/store/stop_event.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {

// Not thread-safe. A stop request ends each wait at once with kCancelled. Closing it before the end tells the writer,
// by EPIPE, that nobody wants the rest.
class PipeFile {
 public:
  // Waits until the FIFO is there, at most `patience`, which is the longest wait for its bytes too. Throws kTimeout
  // naming it, kInvalidArgument when it is no FIFO.
  PipeFile(std::string path, Duration patience, std::stop_token stop);

  // Waits until a writer has written, or has closed. Throws kTimeout when nobody does. Whoever closes without this
  // may leave a writer that is yet to open, and would wait for ever.
  void AwaitWriter();

  // Some bytes, at least one unless `target` is empty; 0 at the end, when the writer has closed. Throws kTimeout.
  size_t Read(std::span<uint8_t> target);

  const std::string& path() const { return path_; }
  Duration waited() const { return waited_; }  // for the writer, in all

 private:
  void Open();
  void Await(int fd, Duration longest, bool* ready);

  const std::string path_;
  const Duration patience_;
  const std::stop_token stop_;
  const StopEvent stop_event_;
  UniqueFd fifo_;
  bool begun_ = false;  // bytes, or the end, have come
  Duration waited_{0};
};

}  // namespace bucketline
