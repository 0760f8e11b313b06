// One epoch of a Pipe channel: its pieces, in order, into a FIFO.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>

#include "bucketline/channel/channel.h"
#include "bucketline/channel/channel_objects.h"
#include "bucketline/channel/fifo_writer.h"
#include "bucketline/exec/buffer_pool.h"
#include "bucketline/exec/memory_budget.h"

namespace bucketline {

struct PipeFormat {
  ChannelCompression compression = ChannelCompression::kNone;
  ChannelWrapper wrapper = ChannelWrapper::kNone;
};

// What epochs share.
struct PipeResources {
  uint64_t memory = 0;               // bytes, of each epoch
  MemoryBudget* requests = nullptr;  // outlives the epochs
  std::shared_ptr<BufferPool> buffers;
};

// Reads the pieces of `epoch` ahead, within the resources, and writes them until the last one or until `writer` is no longer
// open. Throws what the store says and what the format says, naming the object; kCancelled when stopped.
void WritePipeEpoch(const ChannelObjects& objects, uint64_t epoch, PipeFormat format,
                    const PipeResources& resources, FifoWriter& writer, const std::stop_token& stop);

}  // namespace bucketline
