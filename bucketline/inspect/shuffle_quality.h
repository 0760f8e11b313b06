// MeasureShuffle: how well each order mixes a dataset, measured on its real order, shards and labels.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bucketline/dataset/dataset.h"

namespace bucketline {

// Of one order of n records. A uniform one is a random order of all of them.
struct OrderQuality {
  double same_shard = 0;  // share of the order's neighbours that are of one shard; 0 for a single record
  double displacement =
      0;  // mean distance of a record's position from its place in the dataset, over n; in [0, 0.5]
  // Chi-square of the counts of classes in a batch, over what it is on average in a uniform order: the mean of the whole
  // batches. 1: as even as a uniform order; 0: every batch is like the whole; batch_size: each has one class. Absent: there
  // are no classes, or one alone, or fewer than two whole batches.
  std::optional<double> label_imbalance = {};
};

// The records of an order, seen by what can go wrong with it. `shard_of` and `class_of` hold a number below n for each of n
// records; `class_of` may be empty. `record_at` is called once for each position, in order. Preconditions: n > 0,
// batch_size > 0.
OrderQuality MeasureOrder(std::span<const uint32_t> shard_of, std::span<const uint32_t> class_of,
                          uint64_t batch_size, const std::function<uint64_t(uint64_t position)>& record_at);

// What MeasureOrder gives for a uniform order on average.
OrderQuality UniformOrder(std::span<const uint32_t> shard_of, std::span<const uint32_t> class_of);

struct ShuffleOptions {
  uint64_t batch_size = 32;  // of all ranks together, from 1 on
  uint64_t window = 16;      // LoaderOptions::window
  uint64_t seed = 0;
  uint64_t epoch = 0;
};

struct ShuffleReport {
  uint64_t records = 0;
  uint64_t shards = 0;  // ShardsOf
  uint64_t classes = 0;
  uint64_t batches = 0;    // whole ones
  OrderQuality none = {};  // the dataset's order
  OrderQuality window = {};
  OrderQuality global = {};  // of all records
  OrderQuality uniform = {};
  std::string verdict = {};  // one line for a person
};

// Orders are those of a Loader with these options. Classes are labels that are classes or integers. Throws
// kInvalidArgument: an empty dataset, batch_size or window is 0.
ShuffleReport MeasureShuffle(const Dataset& dataset, const ShuffleOptions& options);

// The verdict of a report that is filled but for it. Pure.
std::string ShuffleVerdict(const ShuffleReport& report, const ShuffleOptions& options);

}  // namespace bucketline
