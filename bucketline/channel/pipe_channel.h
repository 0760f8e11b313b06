// PipeChannel: the objects of a channel as streams of bytes, one FIFO an epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "bucketline/channel/channel.h"
#include "bucketline/channel/channel_objects.h"
#include "bucketline/runtime/runtime.h"

namespace bucketline {

struct PipeOptions {
  // Bytes that the channel may hold, at least kLeastMemory: shares of the two epochs that can be open at once, and of memory
  // that goes round. Taken from the Runtime's common cap, where there is one, as long as the channel lives.
  uint64_t memory = uint64_t{256} << 20;
  size_t requests = 64;                // reads at once
  uint64_t epochs = 0;                 // how many are served; 0: as many as are read
  size_t pipe_size = size_t{1} << 20;  // bytes between writer and reader, as far as the system allows it
  ChannelObjectsOptions objects = {};  // how the objects are found
};

// Epoch N is the FIFO `<name>_<N>`, which holds the channel's pieces back to back, in order. It is written once a reader has
// opened it; nothing of it is read before. `<name>_<N+1>` is there as soon as N has a reader, before N ends. A reader that
// leaves early ends its epoch; two epochs may be open at a time, a third waits. An epoch's FIFO goes when the epoch ends.
//
// The end of the stream means that all of the epoch was written. After a failure no reader sees an end: they are kept waiting
// until they go away or the channel is destroyed, which is for after the job was killed.
class PipeChannel : public ServedChannel {
 public:
  static constexpr uint64_t kLeastMemory = uint64_t{1} << 20;

  struct Counts {
    uint64_t whole = 0;  // epochs written to their end
    uint64_t left = 0;   // epochs whose reader went away before
    uint64_t cut = 0;    // epochs that Stop ended before
  };

  uint64_t bytes_served() const override = 0;  // taken by the FIFOs
  virtual Counts counts() const = 0;
  virtual const ChannelObjects& objects() const = 0;

  // Waits until options.epochs epochs, not 0, have ended, or for the stop. Throws what ended the serving, when no reader is
  // kept waiting any more; kCancelled when stopped before.
  virtual void Wait(std::stop_token stop) = 0;

  // Ends the serving, as destruction does: epochs that are being read end where they are, and the FIFOs go. Idempotent.
  virtual void Stop() = 0;
};

// Finds the objects and makes `<folder>/<name>_0`; the folder must be there. `failed` as ChannelFailure says. The Runtime
// outlives the channel. Throws: what ChannelObjects::Open throws; kInvalidArgument for too little memory;
// kResourceExhausted when the Runtime's cap has not that much left; kAlreadyExists when there is a file of that name.
std::unique_ptr<PipeChannel> ServePipe(Runtime& runtime, const ChannelSpec& spec, ChannelHost host,
                                       const std::string& folder, PipeOptions options, ChannelFailure failed);

}  // namespace bucketline
