#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/dataset_state.h"

namespace bucketline {
namespace {

// Views keep 32-bit numbers, so that an index table takes 4 bytes a record.
void CheckTableCanHold(const Manifest& manifest) {
  if (manifest.size() <= uint64_t{1} << 32) return;
  throw Error(
      ErrorCode::kUnsupported,
      fmt::format("views of more than 2^32 records are not supported; this dataset has {}", manifest.size()),
      manifest.source());
}

template <typename T>
std::string_view AsText(const T* data, size_t count) {
  return {reinterpret_cast<const char*>(data), count * sizeof(T)};
}

}  // namespace

const Dataset::State::Extent& Dataset::State::Measure() const {
  std::call_once(extent_once, [&] {
    if (IsWhole()) {
      extent = {manifest.total_bytes(), manifest.largest_record(), manifest.largest_record_index()};
      return;
    }
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t bytes = manifest.RecordBytes(InManifest(i));
      extent.total_bytes += bytes;
      if (bytes > extent.largest) {
        extent.largest = bytes;
        extent.largest_index = i;
      }
    }
  });
  return extent;
}

std::shared_ptr<Dataset::State> Dataset::State::View(std::shared_ptr<const IndexTable> new_table,
                                                     uint64_t new_first, uint64_t new_count) const {
  auto view = std::make_shared<State>();
  view->runtime = runtime;
  view->store = store;
  view->pin = pin;
  view->manifest = manifest;
  view->table = std::move(new_table);
  view->first = new_first;
  view->count = new_count;
  return view;
}

uint64_t Dataset::fingerprint() const {
  const uint64_t whole = state_->manifest.fingerprint();
  if (state_->IsWhole()) return whole;
  const uint64_t view[] = {whole, state_->count, state_->table ? uint64_t{0} : state_->first};
  const uint64_t head = StableHash64(AsText(view, 3));
  return state_->table ? StableHash64(AsText(state_->table->data() + state_->first, state_->count), head)
                       : head;
}

std::pair<Dataset, Dataset> Dataset::Split(double fraction, uint64_t seed) const {
  if (!(fraction > 0 && fraction < 1)) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("a split's fraction must lie between 0 and 1, not {}", fraction));
  }
  CheckTableCanHold(state_->manifest);
  const auto threshold = static_cast<uint64_t>(std::ldexp(fraction, 64));
  auto below = std::make_shared<IndexTable>();
  auto above = std::make_shared<IndexTable>();
  for (uint64_t i = 0; i < size(); ++i) {
    const bool first = StableHash64(Key(i), seed) < threshold;
    (first ? below : above)->push_back(static_cast<uint32_t>(manifest_index(i)));
  }
  below->shrink_to_fit();
  above->shrink_to_fit();
  const uint64_t sizes[] = {below->size(), above->size()};
  return {Dataset(state_->View(std::move(below), 0, sizes[0])),
          Dataset(state_->View(std::move(above), 0, sizes[1]))};
}

Dataset Dataset::Filter(const std::function<bool(std::string_view key)>& keep) const {
  CheckTableCanHold(state_->manifest);
  auto table = std::make_shared<IndexTable>();
  for (uint64_t i = 0; i < size(); ++i) {
    if (keep(Key(i))) table->push_back(static_cast<uint32_t>(manifest_index(i)));
  }
  table->shrink_to_fit();
  const uint64_t count = table->size();
  return Dataset(state_->View(std::move(table), 0, count));
}

Dataset Dataset::Slice(uint64_t first, uint64_t count) const {
  if (first > size() || count > size() - first) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("a slice of {} records from {} does not lie in a dataset of {}", count, first, size()));
  }
  return Dataset(state_->View(state_->table, state_->first + first, count));
}

}  // namespace bucketline
