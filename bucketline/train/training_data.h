// TrainingData: what a run trains on, and the batches of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/stream.h"
#include "bucketline/loader/loader.h"
#include "bucketline/loader/stream_loader.h"

namespace bucketline {

// A Dataset, in a new order each epoch, or a Pipe channel, in that of its writer. A cheap value.
class TrainingData {
 public:
  TrainingData(Dataset dataset) : data_(std::move(dataset)) {}  // NOLINT: implicit on purpose
  TrainingData(Stream stream) : data_(std::move(stream)) {}     // NOLINT: implicit on purpose

  std::string source() const;
  const std::vector<std::string>& classes() const;
  std::optional<uint64_t> images() const;  // in an epoch; a stream does not say

  const Dataset* dataset() const { return std::get_if<Dataset>(&data_); }  // nullptr of a stream
  const Stream* stream() const { return std::get_if<Stream>(&data_); }     // nullptr of a dataset

 private:
  std::variant<Dataset, Stream> data_;
};

// Of either, what a training loop needs of a loader. Threads as for that.
class TrainingBatches {
 public:
  // `options` as for a Dataset; of a stream the order is not shuffled, and an epoch's tail is trained on too. Throws what
  // Loader and StreamLoader do.
  TrainingBatches(const TrainingData& data, LoaderOptions options);

  std::optional<Batch> Next();
  uint64_t epoch() const;
  std::optional<uint64_t> steps() const;  // of an epoch; a stream does not say
  uint64_t step_in_epoch() const;         // batches of it that were given
  bool AtEnd() const;  // nothing of the epoch is to come; a stream does not say so beforehand
  LoaderState State() const;
  void Restore(const LoaderState& state);
  LoaderStats Stats() const;

 private:
  std::variant<Loader, StreamLoader> loader_;
};

}  // namespace bucketline
