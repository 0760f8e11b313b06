#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/dataset_state.h"

namespace bucketline {
namespace {

template <typename T>
std::string_view AsText(const T* data, size_t count) {
  return {reinterpret_cast<const char*>(data), count * sizeof(T)};
}

}  // namespace

uint64_t Dataset::fingerprint() const {
  const uint64_t whole = state_->manifests.fingerprint();
  if (state_->IsWhole()) return whole;
  const uint64_t view[] = {whole, state_->count, state_->table ? uint64_t{0} : state_->first};
  const uint64_t head = StableHash64(AsText(view, 3));
  return state_->table ? StableHash64(AsText(state_->table->data() + state_->first, state_->count), head)
                       : head;
}

Dataset Dataset::Filter(const std::function<bool(std::string_view key)>& keep) const {
  CheckTableCanHold(state_->manifests);
  IndexTable numbers;
  for (uint64_t i = 0; i < size(); ++i) {
    if (keep(Key(i))) numbers.push_back(static_cast<uint32_t>(manifest_index(i)));
  }
  return Dataset(state_->View(std::move(numbers)));
}

Dataset Dataset::Slice(uint64_t first, uint64_t count) const {
  if (first > size() || count > size() - first) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("a slice of {} records from {} does not lie in a dataset of {}", count, first, size()));
  }
  return Dataset(state_->View(state_->table, state_->first + first, count));
}

Dataset Dataset::Select(const std::vector<uint64_t>& indices) const {
  CheckTableCanHold(state_->manifests);
  IndexTable numbers;
  for (size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] >= size()) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("there is no record {} in a dataset of {}", indices[i], size()), source());
    }
    if (i > 0 && indices[i] <= indices[i - 1]) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format(
              "a selection keeps the dataset's order, so its indices must ascend, each once; {} comes "
              "after {}; sort them, and let the loader shuffle",
              indices[i], indices[i - 1]),
          source());
    }
    numbers.push_back(static_cast<uint32_t>(manifest_index(indices[i])));
  }
  return Dataset(state_->View(std::move(numbers)));
}

Dataset Dataset::Without(const std::vector<std::string>& keys) const {
  std::unordered_map<std::string_view, bool> found;
  for (const std::string& key : keys) found.emplace(key, false);
  Dataset rest = Filter([&](std::string_view key) {
    const auto unwanted = found.find(key);
    if (unwanted == found.end()) return true;
    unwanted->second = true;
    return false;
  });
  for (const std::string& key : keys) {
    if (found.at(key)) continue;
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("the dataset has no record with the key \"{}\"; keys are as listed, without the bucket",
                    key),
        source());
  }
  return rest;
}

}  // namespace bucketline
