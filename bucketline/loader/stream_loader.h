// StreamLoader: batches of a training channel that came as a Pipe, as Loader gives those of a Dataset.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "bucketline/dataset/stream.h"
#include "bucketline/loader/batch.h"
#include "bucketline/loader/loader.h"

namespace bucketline {

// The samples of an epoch in the order of their writer, in batches of LoaderOptions::batch_size; a row's random draws are
// keyed by (seed, epoch, the sample's number), as Loader's are by its position. Each epoch reads the next FIFO of the
// channel, which is opened when its first batch is asked for and not before.
//
// What a stream cannot do is refused with what can be done instead: shuffle and sampling (a ShuffleConfig in the job),
// several ranks (ShardedByS3Key), LastPolicy::kPad, a transform. With OnError::kSkip the sample is left out, and its batch
// has a row less. Of max_skipped the epoch counts as having 1000 samples until it has more, or has ended.
//
// One consumer at a time calls Next; the other members are thread-safe. The Stream's Runtime outlives it.
class StreamLoader {
 public:
  // Throws kInvalidArgument: an option out of range, or one of those above; kResourceExhausted: `memory` is below two
  // batches and a megabyte. Nothing is opened before the first Next.
  StreamLoader(Stream stream, LoaderOptions options);
  ~StreamLoader();  // Close()
  StreamLoader(StreamLoader&&) noexcept;
  StreamLoader& operator=(StreamLoader&&) noexcept;

  // As Loader::Next. Throws too: kTimeout for a FIFO that nobody makes or writes to, kCorruptData for a stream that is no
  // RecordIO or ends within a sample, kInvalidArgument for labels that do not fit, and for a channel that another loader
  // reads, kResourceExhausted for a sample that the memory has no room for.
  std::optional<Batch> Next();

  // As Loader::WaitFor.
  bool WaitFor(Duration longest);

  uint64_t epoch() const;  // of the next batch
  const Stream& stream() const;
  const LoaderOptions& options() const;

  // After the last delivered batch: the epoch, and how many samples of it are used.
  LoaderState State() const;
  // Continues there, at any batch size: FIFOs of earlier epochs are dropped unread, and what is used of this one is read
  // again and discarded, which the Runtime's log says. Throws kInvalidArgument for a state of another channel or seed.
  void Restore(const LoaderState& state);

  LoaderStats Stats() const;

  // As Loader::Close. Lets go of the FIFO: its writer goes on to the next.
  void Close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bucketline
