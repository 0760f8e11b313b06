// PipeState: which FIFO of a Pipe channel is read next, shared by all who read it, one after the other.
#pragma once

#include <cstdint>
#include <string>

#include "bucketline/dataset/channel_place.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {

// The number is a text in <state folder>/.<channel>-pipe_mode-state, changed under a lock on its neighbour
// -pipe_mode-lock: as AWS's reader for TensorFlow has it, so that either goes on where the other stopped.
class PipeState {
 public:
  // Makes the folder. Throws what the file system says, naming SAGEMAKER_BASE_DIR.
  explicit PipeState(const ChannelPlace& place);

  uint64_t Next() const;  // 0 where nobody has read yet
  // FIFO `number` is being read: another one is next. No effect when a later one is.
  void Begin(uint64_t number) const;

 private:
  UniqueFd Lock() const;
  uint64_t Read() const;

  const std::string file_;
  const std::string lock_;
};

// Held while a FIFO of the channel is open: a FIFO has one reader.
class PipeTurn {
 public:
  // Throws kInvalidArgument when another loader, of this process or another, has it.
  explicit PipeTurn(const ChannelPlace& place);
  ~PipeTurn();
  PipeTurn(const PipeTurn&) = delete;
  PipeTurn& operator=(const PipeTurn&) = delete;

 private:
  UniqueFd lock_;
};

}  // namespace bucketline
