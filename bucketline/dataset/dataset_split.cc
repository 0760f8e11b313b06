// Splits: datasets that share out the records of one.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/dataset_state.h"

namespace bucketline {
namespace {

constexpr double kSumTolerance = 1e-6;  // of fractions that were written in decimals

// Where each part but the last ends, as a share of the whole: 0 < cut < 1, ascending.
std::vector<double> CutsOf(const std::vector<double>& fractions) {
  std::vector<double> cuts;
  double sum = 0;
  bool positive = true;
  for (const double fraction : fractions) {
    positive = positive && fraction > 0;  // false for NaN
    cuts.push_back(sum += fraction);
  }
  if (!positive || !(std::abs(sum - 1) <= kSumTolerance)) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("a split's fractions must be positive and add up to 1, not {}",
                            fmt::join(fractions, " + ")));
  }
  cuts.pop_back();
  return cuts;
}

// The part whose share of all hashes holds this one.
class HashCuts {
 public:
  explicit HashCuts(const std::vector<double>& cuts) {
    for (const double cut : cuts) {
      ends_.push_back(cut < 1 ? static_cast<uint64_t>(std::ldexp(cut, 64)) : ~uint64_t{0});
    }
  }
  size_t PartOf(uint64_t hash) const {
    return static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), hash) - ends_.begin());
  }

 private:
  std::vector<uint64_t> ends_;
};

}  // namespace

std::vector<Dataset> Dataset::Share(size_t parts,
                                    const std::function<size_t(uint64_t index)>& part_of) const {
  CheckTableCanHold(state_->manifests);
  std::vector<IndexTable> tables(parts);
  for (uint64_t i = 0; i < size(); ++i) {
    tables[part_of(i)].push_back(static_cast<uint32_t>(manifest_index(i)));
  }
  std::vector<Dataset> datasets;
  datasets.reserve(tables.size());
  for (IndexTable& table : tables) datasets.push_back(Dataset(state_->View(std::move(table))));
  return datasets;
}

std::pair<Dataset, Dataset> Dataset::Split(double fraction, uint64_t seed) const {
  if (!(fraction > 0 && fraction < 1)) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("a split's fraction must lie between 0 and 1, not {}", fraction));
  }
  const HashCuts cuts({fraction});
  std::vector<Dataset> parts =
      Share(2, [&](uint64_t index) { return cuts.PartOf(StableHash64(Key(index), seed)); });
  return {std::move(parts[0]), std::move(parts[1])};
}

std::vector<Dataset> Dataset::Split(const std::vector<double>& fractions, uint64_t seed, SplitBy by) const {
  if (by == SplitBy::kLabel) return SplitLabels(fractions, seed);
  return SplitGroups(fractions, seed, [](std::string_view key) { return std::string(key); });
}

std::vector<Dataset> Dataset::SplitGroups(
    const std::vector<double>& fractions, uint64_t seed,
    const std::function<std::string(std::string_view key)>& group) const {
  const HashCuts cuts(CutsOf(fractions));
  return Share(fractions.size(),
               [&](uint64_t index) { return cuts.PartOf(StableHash64(group(Key(index)), seed)); });
}

// A new record of a label shifts those after it by one and each cut by one or none, so at most one record, at
// the cut's place, changes sides.
std::vector<Dataset> Dataset::SplitLabels(const std::vector<double>& fractions, uint64_t seed) const {
  const std::vector<double> cuts = CutsOf(fractions);
  if (label_kind() != LabelKind::kClass && label_kind() != LabelKind::kInteger) {
    throw Error(ErrorCode::kInvalidArgument,
                "only classes and integers can be split by label; split by key, or give labels of that kind",
                source());
  }
  using HashedRecord = std::pair<uint64_t, uint64_t>;  // hash of the key, index
  std::map<int64_t, std::vector<HashedRecord>> by_label;
  for (uint64_t i = 0; i < size(); ++i) by_label[LabelInteger(i)].emplace_back(StableHash64(Key(i), seed), i);
  std::vector<uint32_t> part_of(size());
  for (auto& [label, records] : by_label) {
    std::sort(records.begin(), records.end());
    const auto count = static_cast<double>(records.size());
    for (size_t part = 0, place = 0; part <= cuts.size(); ++part) {
      const double end = part < cuts.size() ? std::min(cuts[part], 1.0) * count : count;
      for (; place < static_cast<size_t>(std::llround(end)); ++place) {
        part_of[records[place].second] = static_cast<uint32_t>(part);
      }
    }
  }
  return Share(fractions.size(), [&](uint64_t index) { return part_of[index]; });
}

}  // namespace bucketline
