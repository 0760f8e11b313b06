// What a Dataset shares with its copies: the manifests, the view of them, and where to read from.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/source.h"

namespace bucketline {

// Numbers in a ManifestList, ascending: at most 4 bytes a record, shared by the slices of a view.
using IndexTable = std::vector<uint32_t>;

// Immutable but for what is computed on first use.
struct Dataset::State {
  Runtime* runtime = nullptr;
  ManifestList manifests;                                             // at least one
  std::shared_ptr<const std::vector<std::vector<PartStore>>> stores;  // of each manifest, by part
  std::string source;                                                 // for people
  uint64_t dropped = 0;

  // The view: `count` records from number `first` of the table, or of the manifests when there is none.
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

  // All records of these. Precondition: there is a source.
  static std::shared_ptr<State> Whole(Runtime* runtime, std::vector<Source> sources, uint64_t dropped = 0);

  bool IsWhole() const { return table == nullptr && first == 0 && count == manifests.size(); }
  uint64_t InManifests(uint64_t index) const { return table ? (*table)[first + index] : first + index; }
  const LabelColumn& labels() const {
    return manifests.manifests().front().labels();
  }  // for kind and classes
  std::vector<Source> Sources() const;
  const Extent& Measure() const;

  // The same data seen through another view.
  std::shared_ptr<State> View(std::shared_ptr<const IndexTable> new_table, uint64_t new_first,
                              uint64_t new_count) const;
  std::shared_ptr<State> View(IndexTable numbers) const;
};

// The part is read from `cached`, which is its store, or its store behind a cache. Throws kInvalidArgument when there is a
// cache that the pin lets nothing into.
void UseCached(PartStore& part, std::shared_ptr<ObjectStore> cached, const std::string& source);

// Throws kUnsupported when numbers of these records do not fit an IndexTable.
void CheckTableCanHold(const ManifestList& manifests);

}  // namespace bucketline
