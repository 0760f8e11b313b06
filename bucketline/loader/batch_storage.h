// What the copies of a Batch share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bucketline/loader/batch.h"
#include "bucketline/loader/batch_pool.h"
#include "bucketline/records/manifest_list.h"

namespace bucketline {

struct BatchField::Storage {
  std::string name;
  ImageSpec spec;
  std::shared_ptr<void> pixels;  // in the block's memory, and keeps it; null for bytes and values
  size_t pixel_bytes = 0;
  std::vector<float> geometry;
  std::vector<int32_t> source_sizes;
  std::vector<Bytes> raw;
};

// Holds nothing of the Loader, the Dataset or the Runtime: it may outlive them all.
struct Batch::Storage {
  std::vector<std::shared_ptr<const BatchField::Storage>> fields;  // at least one
  std::shared_ptr<BatchPool::Block> block;                         // of all fields' pixels
  std::shared_ptr<BatchPool::Block> counted;                       // for all fields' bytes
  std::vector<std::shared_ptr<void>> values;                       // by row; empty without

  LabelKind label_kind = LabelKind::kNone;
  size_t label_width = 1;
  std::vector<int64_t> integer_labels;
  std::vector<float> float_labels;

  std::vector<uint64_t> indices;
  std::vector<uint8_t> valid;
  ManifestList manifests;                  // for keys
  std::vector<uint64_t> manifest_indices;  // by row
  std::vector<std::string> keys;           // of a stream, instead, by row
  uint64_t position = 0;
  LoaderState state;
};

}  // namespace bucketline
