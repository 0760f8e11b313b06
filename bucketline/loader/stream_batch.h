// StreamBatch: a batch of a stream in the making.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bucketline/dataset/fetcher.h"
#include "bucketline/dataset/stream_labels.h"
#include "bucketline/loader/open_batch.h"

namespace bucketline {

// It is opened with a row for each sample that may come. Guarded as OpenBatch is.
struct StreamBatch {
  StreamBatch(uint64_t sequence, BatchPlan plan, std::span<const Field> fields)
      : open(sequence, std::move(plan), fields), labels(open.rows.size()), left_out(open.rows.size(), 0) {}

  OpenBatch open;
  std::vector<StreamLabel> labels;  // by row
  LabelKind label_kind = LabelKind::kNone;
  size_t label_width = 1;
  std::vector<uint8_t> left_out;  // by row; 1: its sample was skipped, or none came
  uint64_t samples = 0;           // that came
  bool dropped = false;           // LastPolicy::kDrop, and the stream ended within it
  std::vector<Lease> raw_leases;  // of the bytes that are the batch, until it is taken
  uint64_t raw_bytes = 0;         // of the reading thread

  // Rows from `first` on get no sample, and no longer keep the batch from being finished.
  void LeaveOutFrom(uint32_t first);
};

// What the samples of one epoch have in common.
struct StreamFacts {
  std::string name = {};  // of the FIFO: "train_0"
  LoaderState state;      // but for the position
};

// The finished batch without the rows that were left out. Precondition: there are others.
Batch Assemble(StreamBatch& batch, const StreamFacts& facts, std::span<const Field> fields);

}  // namespace bucketline
