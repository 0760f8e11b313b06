// One epoch of a Pipe channel: its pieces, in order, into a FIFO.
#pragma once

#include <cstdint>
#include <stop_token>

#include "bucketline/channel/channel.h"
#include "bucketline/channel/channel_objects.h"
#include "bucketline/channel/fifo_writer.h"
#include "bucketline/exec/memory_budget.h"

namespace bucketline {

struct PipeFormat {
  ChannelCompression compression = ChannelCompression::kNone;
  ChannelWrapper wrapper = ChannelWrapper::kNone;
};

// Reads the pieces of `epoch` ahead, within `memory` bytes and as many requests, and writes them until the last one or until
// `writer` is no longer open. Throws what the store says and what the format says, naming the object; kCancelled when
// stopped.
void WritePipeEpoch(const ChannelObjects& objects, uint64_t epoch, PipeFormat format, uint64_t memory,
                    MemoryBudget& requests, FifoWriter& writer, const std::stop_token& stop);

}  // namespace bucketline
