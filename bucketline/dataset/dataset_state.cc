#include "bucketline/dataset/dataset_state.h"

#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {

void UseCached(PartStore& part, std::shared_ptr<ObjectStore> cached, const std::string& source) {
  if (part.pin != PinMode::kEtag && cached != part.store) {
    throw Error(ErrorCode::kInvalidArgument,
                "only what is pinned by its ETag can be cached; open the dataset with pin=\"etag\", or "
                "without a cache",
                source);
  }
  part.store = std::move(cached);
}

std::shared_ptr<Dataset::State> Dataset::State::Whole(Runtime* runtime, std::vector<Source> sources,
                                                      uint64_t dropped) {
  auto state = std::make_shared<State>();
  std::vector<Manifest> manifests;
  std::vector<std::vector<PartStore>> stores;
  for (Source& source : sources) {
    for (PartStore& part : source.stores) {
      UseCached(part, runtime->WithCache(part.store, source.manifest.source()), source.manifest.source());
    }
    manifests.push_back(std::move(source.manifest));
    stores.push_back(std::move(source.stores));
  }
  state->runtime = runtime;
  state->manifests = ManifestList(std::move(manifests));
  state->stores = std::make_shared<const std::vector<std::vector<PartStore>>>(std::move(stores));
  state->source = state->manifests.manifests().front().source();
  if (sources.size() > 1) state->source += fmt::format(" and {} more", sources.size() - 1);
  state->dropped = dropped;
  state->count = state->manifests.size();
  return state;
}

std::vector<Source> Dataset::State::Sources() const {
  std::vector<Source> sources;
  sources.reserve(stores->size());
  for (size_t i = 0; i < stores->size(); ++i) {
    sources.push_back({.manifest = manifests.manifests()[i], .stores = (*stores)[i]});
  }
  return sources;
}

const Dataset::State::Extent& Dataset::State::Measure() const {
  std::call_once(extent_once, [&] {
    const auto add = [&](uint64_t total, uint64_t largest, uint64_t index) {
      extent.total_bytes += total;
      if (largest <= extent.largest) return;
      extent.largest = largest;
      extent.largest_index = index;
    };
    if (IsWhole()) {
      for (size_t i = 0; i < stores->size(); ++i) {
        const Manifest& manifest = manifests.manifests()[i];
        add(manifest.total_bytes(), manifest.largest_record(),
            manifests.FirstOf(i) + manifest.largest_record_index());
      }
      return;
    }
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t bytes = manifests.RecordBytes(InManifests(i));
      add(bytes, bytes, i);
    }
  });
  return extent;
}

std::shared_ptr<Dataset::State> Dataset::State::View(std::shared_ptr<const IndexTable> new_table,
                                                     uint64_t new_first, uint64_t new_count) const {
  auto view = std::make_shared<State>();
  view->runtime = runtime;
  view->manifests = manifests;
  view->stores = stores;
  view->source = source;
  view->dropped = dropped;
  view->table = std::move(new_table);
  view->first = new_first;
  view->count = new_count;
  return view;
}

std::shared_ptr<Dataset::State> Dataset::State::View(IndexTable numbers) const {
  numbers.shrink_to_fit();
  const uint64_t size = numbers.size();
  return View(std::make_shared<const IndexTable>(std::move(numbers)), 0, size);
}

void CheckTableCanHold(const ManifestList& manifests) {
  if (manifests.size() <= uint64_t{1} << 32) return;
  throw Error(
      ErrorCode::kUnsupported,
      fmt::format("views of more than 2^32 records are not supported; this dataset has {}", manifests.size()),
      manifests.manifests().front().source());
}

}  // namespace bucketline
