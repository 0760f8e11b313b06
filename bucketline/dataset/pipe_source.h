// PipeSource: the FIFO of one epoch of a Pipe channel, found, opened and counted.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "bucketline/base/clock.h"
#include "bucketline/dataset/channel_place.h"
#include "bucketline/dataset/pipe_file.h"
#include "bucketline/dataset/pipe_records.h"
#include "bucketline/dataset/pipe_state.h"

namespace bucketline {

// Not thread-safe. Destroying it lets go of the FIFO, read to its end or not: then its writer goes on to the next.
class PipeSource {
 public:
  // Opens the next FIFO, as PipeState counts them, and waits for its writer. FIFOs before number `epoch` are opened and
  // dropped unread, so that a run which resumes there has the order that this epoch had; one behind it cannot come back.
  // Throws what PipeTurn, PipeState and PipeFile do.
  PipeSource(const ChannelPlace& place, uint64_t epoch, Duration patience, const std::stop_token& stop);

  uint64_t number() const { return number_; }  // of the FIFO
  const std::string& path() const { return file_->path(); }
  Duration waited() const { return file_->waited(); }  // for the writer, in all
  PipeRecords& records() { return *records_; }

 private:
  const PipeTurn turn_;
  uint64_t number_ = 0;
  std::unique_ptr<PipeFile> file_;
  std::unique_ptr<PipeRecords> records_;
};

}  // namespace bucketline
