// TFDS info: what TensorFlow Datasets writes beside the TFRecords of a prepared dataset.
// Source: tensorflow_datasets/core/proto/dataset_info.proto and feature.proto, as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bucketline {

struct TfdsInfo {
  std::vector<std::string> splits;        // in the order of the file
  std::vector<std::string> images;        // features that are images
  std::vector<std::string> class_labels;  // features whose names stand in "<feature>.labels.txt"
};

// From dataset_info.json and features.json. Throws kCorruptData for what does not parse, kUnsupported for shards that are
// no TFRecords.
TfdsInfo ReadTfdsInfo(std::string_view dataset_info, std::string_view features);

// Whether the object is a shard of this split: "mnist-train.tfrecord-00000-of-00001" of "train".
bool IsShardOfSplit(std::string_view key, std::string_view split);

// The lines of a file of names; empty ones are none.
std::vector<std::string> ReadLabelNames(std::string_view text);

}  // namespace bucketline
