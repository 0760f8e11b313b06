// FifoWriter: bytes into a FIFO, at its reader's pace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "bucketline/store/unique_fd.h"

namespace bucketline {

// For one thread, which blocks SIGPIPE (those of exec do). Once the reader has gone, or a stop was requested, it takes what it is given and drops it.
class FifoWriter {
 public:
  enum class State { kOpen, kReaderGone, kStopped };

  // `fd` does not block, and `stop_fd` is readable once the writing is to end; it outlives the writer. `written` is told
  // of bytes that the reader's side has taken. `uri` names the FIFO in errors.
  FifoWriter(UniqueFd fd, int stop_fd, std::function<void(uint64_t bytes)> written, std::string uri);

  State state() const { return state_; }

  // Waits for room. Bytes may lie here until Flush. Throws what the system says, kIo.
  void Write(std::span<const uint8_t> bytes);
  void Flush();

  // Whether the reader has gone meanwhile, too.
  State Look();

  // Waits until the reader has gone or the stop, and writes nothing: the reader sees no end meanwhile.
  void Hold();

 private:
  void WriteThrough(std::span<const uint8_t> bytes);
  void Poll(short events, int timeout);

  const UniqueFd fd_;
  const int stop_fd_;
  const std::function<void(uint64_t bytes)> written_;
  const std::string uri_;
  State state_ = State::kOpen;
  std::vector<uint8_t> small_;  // what waits for more
};

}  // namespace bucketline
