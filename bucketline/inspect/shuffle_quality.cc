#include "bucketline/inspect/shuffle_quality.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/shards_of.h"
#include "bucketline/sampler/permutation.h"
#include "bucketline/sampler/window_order.h"

namespace bucketline {
namespace {

constexpr double kUneven = 0.1;  // above 1: less of it nobody will notice in training
constexpr double kSigmas = 4;    // and so far from 1 no uniform order comes by chance

// How often each number stands there.
std::vector<uint64_t> CountsOf(std::span<const uint32_t> numbers) {
  std::vector<uint64_t> counts;
  for (const uint32_t number : numbers) {
    if (number >= counts.size()) counts.resize(number + 1);
    ++counts[number];
  }
  return counts;
}

uint64_t Distinct(const std::vector<uint64_t>& counts) {
  return static_cast<uint64_t>(std::ranges::count_if(counts, [](uint64_t count) { return count > 0; }));
}

// Sums up the chi-squares of batches: of b rows with o of a class that has share p, the sum of (o - b p)^2 / (b p) over
// the classes, which is the sum of o^2 / (b p) less b.
class BatchCounts {
 public:
  BatchCounts(std::span<const uint32_t> class_of, uint64_t batch_size)
      : class_of_(class_of), batch_size_(batch_size), whole_(CountsOf(class_of)), in_batch_(whole_.size()) {}

  void Add(uint64_t record) {
    if (class_of_.empty()) return;
    const uint32_t label = class_of_[record];
    const double expected = static_cast<double>(batch_size_) * static_cast<double>(whole_[label]) / Records();
    squares_ += static_cast<double>(2 * in_batch_[label] + 1) / expected;
    ++in_batch_[label];
    rows_.push_back(label);
    if (rows_.size() == batch_size_) End();
  }

  std::optional<double> Imbalance() const {
    const uint64_t classes = Distinct(whole_);
    if (classes < 2 || batches_ < 2) return std::nullopt;
    // Draws without replacement: the variance of o is b p (1 - p) (n - b) / (n - 1).
    const double uniform =
        static_cast<double>(classes - 1) * (Records() - static_cast<double>(batch_size_)) / (Records() - 1);
    return chi_squares_ / static_cast<double>(batches_) / uniform;
  }

 private:
  double Records() const { return static_cast<double>(class_of_.size()); }

  void End() {
    chi_squares_ += squares_ - static_cast<double>(batch_size_);
    ++batches_;
    squares_ = 0;
    for (const uint32_t label : rows_) in_batch_[label] = 0;
    rows_.clear();
  }

  const std::span<const uint32_t> class_of_;
  const uint64_t batch_size_;
  const std::vector<uint64_t> whole_;  // records of each class
  std::vector<uint64_t> in_batch_;     // of them in the batch so far
  std::vector<uint32_t> rows_;         // the batch's classes
  double squares_ = 0;
  double chi_squares_ = 0;
  uint64_t batches_ = 0;
};

std::vector<uint32_t> ShardNumbers(const ShardTable& shards) {
  std::vector<uint32_t> numbers(shards.records());
  for (uint64_t shard = 0; shard < shards.shards(); ++shard) {
    for (uint64_t place = shards.BeginOf(shard); place < shards.EndOf(shard); ++place)
      numbers[shards.RecordAt(place)] = static_cast<uint32_t>(shard);
  }
  return numbers;
}

// Numbered as they come; empty without classes.
std::vector<uint32_t> ClassNumbers(const Dataset& dataset) {
  std::vector<uint32_t> numbers;
  if (dataset.label_kind() != LabelKind::kClass && dataset.label_kind() != LabelKind::kInteger)
    return numbers;
  std::unordered_map<int64_t, uint32_t> known;
  numbers.reserve(dataset.size());
  for (uint64_t i = 0; i < dataset.size(); ++i) {
    const auto next = static_cast<uint32_t>(known.size());
    numbers.push_back(known.try_emplace(dataset.LabelInteger(i), next).first->second);
  }
  return numbers;
}

// Whether a uniform order does not give that by chance: the mean of k chi-squares of c classes scatters by
// sqrt(2 / ((c - 1) k)) around 1.
bool IsUneven(const OrderQuality& order, const ShuffleReport& report) {
  if (!order.label_imbalance) return false;
  const double scatter =
      std::sqrt(2 / (static_cast<double>(report.classes - 1) * static_cast<double>(report.batches)));
  return *order.label_imbalance > 1 + std::max(kUneven, kSigmas * scatter);
}

}  // namespace

OrderQuality MeasureOrder(std::span<const uint32_t> shard_of, std::span<const uint32_t> class_of,
                          uint64_t batch_size, const std::function<uint64_t(uint64_t)>& record_at) {
  const uint64_t n = shard_of.size();
  BatchCounts batches(class_of, batch_size);
  uint64_t together = 0;
  double moved = 0;
  uint64_t before = 0;
  for (uint64_t position = 0; position < n; ++position) {
    const uint64_t record = record_at(position);
    if (position > 0 && shard_of[record] == shard_of[before]) ++together;
    moved += static_cast<double>(std::max(record, position) - std::min(record, position));
    batches.Add(record);
    before = record;
  }
  const auto records = static_cast<double>(n);
  return {.same_shard = n > 1 ? static_cast<double>(together) / (records - 1) : 0,
          .displacement = moved / records / records,
          .label_imbalance = batches.Imbalance()};
}

OrderQuality UniformOrder(std::span<const uint32_t> shard_of, std::span<const uint32_t> class_of) {
  const auto n = static_cast<double>(shard_of.size());
  OrderQuality uniform{.displacement = (1 - 1 / n / n) / 3};
  for (const uint64_t count : CountsOf(shard_of)) {
    if (count > 1)
      uniform.same_shard += static_cast<double>(count) / n * static_cast<double>(count - 1) / (n - 1);
  }
  if (Distinct(CountsOf(class_of)) > 1) uniform.label_imbalance = 1;
  return uniform;
}

ShuffleReport MeasureShuffle(const Dataset& dataset, const ShuffleOptions& options) {
  if (options.batch_size == 0) throw Error(ErrorCode::kInvalidArgument, "a batch is of at least one row");
  const WindowOrder window(ShardsOf(dataset), options.window, options.seed);
  const std::vector<uint32_t> shard_of = ShardNumbers(window.shards());
  const std::vector<uint32_t> class_of = ClassNumbers(dataset);
  const auto measure = [&](const std::function<uint64_t(uint64_t)>& record_at) {
    return MeasureOrder(shard_of, class_of, options.batch_size, record_at);
  };
  WindowWalk walk(window);
  const Permutation global(dataset.size(), options.seed, options.epoch);
  ShuffleReport report{.records = dataset.size(),
                       .shards = window.shards().shards(),
                       .classes = Distinct(CountsOf(class_of)),
                       .batches = dataset.size() / options.batch_size,
                       .none = measure([](uint64_t position) { return position; }),
                       .window = measure([&](uint64_t position) { return walk.At(options.epoch, position); }),
                       .global = measure([&](uint64_t position) { return global.At(position); }),
                       .uniform = UniformOrder(shard_of, class_of),
                       .verdict = {}};
  report.verdict = ShuffleVerdict(report, options);
  return report;
}

std::string ShuffleVerdict(const ShuffleReport& report, const ShuffleOptions& options) {
  const std::string window =
      options.window == 1 ? "a window of 1 shard" : fmt::format("a window of {} shards", options.window);
  if (report.shards <= options.window)
    return fmt::format("{} holds all {} there are, so it is a shuffle of all records", window, report.shards);
  if (!report.none.label_imbalance) {
    return fmt::format(
        "labels cannot be judged ({}); with {} neighbours are of one shard in {:.1f} % of the cases, where a "
        "uniform "
        "order has {:.1f} %",
        report.classes < 2 ? "there are no two classes: give --labels" : "there are no two batches", window,
        100 * report.window.same_shard, 100 * report.uniform.same_shard);
  }
  if (IsUneven(report.window, report)) {
    return fmt::format(
        "with {} the classes of a batch are {:.1f} times as uneven as in a shuffle of all records; shuffle "
        "all of them, "
        "or take a wider window",
        window, *report.window.label_imbalance);
  }
  if (IsUneven(report.none, report)) {
    return fmt::format(
        "{} mixes the classes as evenly as a shuffle of all records; without a shuffle a batch is {:.1f} "
        "times as uneven",
        window, *report.none.label_imbalance);
  }
  return "the classes are evenly mixed as they lie, so that every order does";
}

}  // namespace bucketline
