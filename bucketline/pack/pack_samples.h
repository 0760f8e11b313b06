// Pack samples: what a pack's samples are, as far as the manifest knows: their order, names, labels and sizes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bucketline/dataset/dataset.h"
#include "bucketline/records/shard_encoder.h"
#include "bucketline/sampler/permutation.h"

namespace bucketline {

// The dataset's records in the order in which they are packed. Cheap to copy; the dataset outlives it.
class PackSamples {
 public:
  // `jpeg`: all of them will be JPEGs. Precondition: the dataset is not empty. Throws kInvalidArgument for a name of a part
  // that the format cannot hold.
  PackSamples(const Dataset& dataset, const ShardEncoding& encoding, std::optional<uint64_t> shuffle,
              bool jpeg, uint64_t shard_size);

  const Dataset& dataset() const { return *dataset_; }
  const PackSchema& schema() const { return schema_; }
  uint64_t size() const { return dataset_->size(); }

  // The record's number in the dataset. Precondition: position < size().
  uint64_t IndexAt(uint64_t position) const { return order_ ? order_->At(position) : position; }

  // Of the record in the dataset. Precondition: position < size().
  uint64_t BytesAt(uint64_t position) const { return dataset_->RecordBytes(IndexAt(position)); }

  // All of the sample but the bytes of its parts and their checksums; lengths are those of the dataset.
  SampleToPack At(uint64_t position) const;

  // What comes after the last dot of the part's object, or what its bytes look like: "jpg", "bin".
  std::string ExtensionOf(const RecordPart& part, std::string_view bytes) const;

 private:
  const Dataset* dataset_;
  PackSchema schema_;
  bool jpeg_;
  std::optional<Permutation> order_;
};

// The labels of these records, in this order.
LabelColumn LabelsOf(const Dataset& dataset, const std::vector<uint64_t>& indices);

// A hash of all labels and the names of their classes.
uint64_t LabelsFingerprint(const Dataset& dataset);

}  // namespace bucketline
