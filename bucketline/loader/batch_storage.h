// What the copies of a Batch share.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bucketline/loader/batch.h"
#include "bucketline/loader/batch_pool.h"
#include "bucketline/records/manifest_list.h"

namespace bucketline {

// Holds nothing of the Loader, the Dataset or the Runtime: it may outlive them all.
struct Batch::Storage {
  ImageSpec spec;                // height and width are those of the rows
  std::shared_ptr<void> pixels;  // the block's memory, and its owner; null for raw batches
  size_t pixel_bytes = 0;
  std::shared_ptr<BatchPool::Block> block;
  std::vector<Bytes> raw;

  LabelKind label_kind = LabelKind::kNone;
  size_t label_width = 1;
  std::vector<int64_t> integer_labels;
  std::vector<float> float_labels;

  std::vector<uint64_t> indices;
  std::vector<uint8_t> valid;
  ManifestList manifests;                  // for keys
  std::vector<uint64_t> manifest_indices;  // by row
  uint64_t position = 0;
  LoaderState state;
};

}  // namespace bucketline
