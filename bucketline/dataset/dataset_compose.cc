// Datasets made of others' records: with other labels, one after another, side by side.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/dataset_state.h"
#include "bucketline/dataset/join.h"
#include "bucketline/dataset/repeats.h"
#include "bucketline/records/label_merge.h"

namespace bucketline {

Dataset Dataset::WithLabels(const LabelColumn& labels) const {
  std::vector<Source> sources = state_->Sources();
  if (!state_->IsWhole()) {
    std::vector<std::vector<uint64_t>> numbers(sources.size());
    for (uint64_t i = 0; i < size(); ++i) {
      const ManifestList::Place place = state_->manifests.Find(manifest_index(i));
      numbers[place.manifest].push_back(place.index);
    }
    for (size_t i = 0; i < sources.size(); ++i) sources[i].manifest = sources[i].manifest.Pick(numbers[i]);
  }
  SpreadLabels(labels, &sources);
  return Dataset(State::Whole(state_->runtime, std::move(sources), dropped()));
}

Dataset Dataset::Concat(const std::vector<Dataset>& datasets, Repeats repeats) {
  if (datasets.empty()) throw Error(ErrorCode::kInvalidArgument, "there is no dataset to put together");
  std::vector<Source> sources;
  std::vector<Manifest> manifests;
  uint64_t dropped = 0;
  for (const Dataset& dataset : datasets) {
    if (dataset.part_names() != datasets.front().part_names()) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("records of {} have the parts {} and those of {} the parts {}; give them the same",
                      datasets.front().source(), fmt::join(datasets.front().part_names(), ", "),
                      dataset.source(), fmt::join(dataset.part_names(), ", ")));
    }
    for (Source& source : dataset.state_->Sources()) {
      manifests.push_back(source.manifest);
      sources.push_back(std::move(source));
    }
    dropped += dataset.dropped();
  }
  manifests = MergeLabels(std::move(manifests));
  for (size_t i = 0; i < sources.size(); ++i) sources[i].manifest = std::move(manifests[i]);
  std::shared_ptr<State> state = State::Whole(datasets.front().state_->runtime, std::move(sources), dropped);

  const auto is_whole = [](const Dataset& dataset) { return dataset.state_->IsWhole(); };
  if (!std::all_of(datasets.begin(), datasets.end(), is_whole)) {
    CheckTableCanHold(state->manifests);
    IndexTable numbers;
    uint64_t first = 0;  // of the dataset's manifests
    for (const Dataset& dataset : datasets) {
      for (uint64_t i = 0; i < dataset.size(); ++i) {
        numbers.push_back(static_cast<uint32_t>(first + dataset.manifest_index(i)));
      }
      first += dataset.manifests().size();
    }
    state = state->View(std::move(numbers));
  }
  Dataset all(std::move(state));
  if (repeats == Repeats::kError) CheckNoRepeats(all);
  return all;
}

Dataset Dataset::Join(const std::vector<std::pair<std::string, Dataset>>& parts, Missing missing) {
  JoinedRecords joined = JoinRecords(parts, missing);
  Source source{.manifest = std::move(joined.manifest), .stores = {}};
  uint64_t dropped = joined.unmatched;
  for (const auto& [name, dataset] : parts) {
    source.stores.push_back(dataset.state_->stores->front().front());
    dropped += dataset.dropped();
  }
  return Dataset(State::Whole(parts.front().second.state_->runtime, {std::move(source)}, dropped));
}

Dataset Dataset::Cached(const CacheOptions& cache) const {
  std::shared_ptr<State> state = state_->View(state_->table, state_->first, state_->count);
  std::vector<std::vector<PartStore>> stores = *state_->stores;
  for (size_t i = 0; i < stores.size(); ++i) {
    const std::string& source = state_->manifests.manifests()[i].source();
    for (PartStore& part : stores[i])
      UseCached(part, state_->runtime->WithCache(part.store, cache, source), source);
  }
  state->stores = std::make_shared<const std::vector<std::vector<PartStore>>>(std::move(stores));
  return Dataset(std::move(state));
}

}  // namespace bucketline
