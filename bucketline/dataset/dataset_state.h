// What a Dataset shares with its copies: the manifest, the view of it, and where to read from.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bucketline/dataset/dataset.h"

namespace bucketline {

// Manifest indices, ascending: at most 4 bytes a record, shared by the slices of a view.
using IndexTable = std::vector<uint32_t>;

// Immutable but for what is computed on first use.
struct Dataset::State {
  Runtime* runtime = nullptr;
  std::shared_ptr<ObjectStore> store;
  PinMode pin = PinMode::kEtag;
  Manifest manifest;

  // The view: `count` records from number `first` of the table, or of the manifest when there is none.
  std::shared_ptr<const IndexTable> table;
  uint64_t first = 0;
  uint64_t count = 0;

  // Sizes of the view's records together, from one pass over them.
  struct Extent {
    uint64_t total_bytes = 0;
    uint64_t largest = 0;
    uint64_t largest_index = 0;  // in the view; meaningless when it is empty
  };
  mutable std::once_flag extent_once;
  mutable Extent extent;

  bool IsWhole() const { return table == nullptr && first == 0 && count == manifest.size(); }
  uint64_t InManifest(uint64_t index) const { return table ? (*table)[first + index] : first + index; }
  const Extent& Measure() const;

  // The same data seen through another view.
  std::shared_ptr<State> View(std::shared_ptr<const IndexTable> new_table, uint64_t new_first,
                              uint64_t new_count) const;
};

}  // namespace bucketline
