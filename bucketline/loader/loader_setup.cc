#include "bucketline/loader/loader_setup.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <queue>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"
#include "bucketline/dataset/shards_of.h"

namespace bucketline {
namespace {

constexpr size_t kMostThreads = 1024;
constexpr uint64_t kMostRows = uint64_t{1} << 32;                   // of all fields of a batch
constexpr uint64_t kWidestWindow = 0xffffffff;                      // shards
constexpr Duration kLongestWarning = std::chrono::hours(24 * 365);  // beyond it time points overflow

void Require(bool holds, std::string_view what) {
  if (!holds) throw Error(ErrorCode::kInvalidArgument, fmt::format("LoaderOptions: {}", what));
}

// The `count` largest records together; more often than once when there are fewer.
uint64_t LargestRecords(const Dataset& dataset, uint64_t count) {
  std::priority_queue<uint64_t, std::vector<uint64_t>, std::greater<>> largest;
  uint64_t sum = 0;
  for (uint64_t i = 0; i < dataset.size(); ++i) {
    const uint64_t bytes = dataset.RecordBytes(i);
    largest.push(bytes);
    sum += bytes;
    if (largest.size() <= count) continue;
    sum -= largest.top();
    largest.pop();
  }
  return sum * ((count + dataset.size() - 1) / dataset.size());
}

// `beside`: bytes that each batch has in addition.
uint64_t LargestRawBatch(const Dataset& dataset, const LoaderOptions& options, uint64_t beside) {
  const uint64_t at_most = options.batch_size * dataset.largest_record();
  // Looking at every record takes its time; it is done only where the simple bound would refuse the memory.
  const bool fits = dataset.largest_record() + 2 * (at_most + beside) <= options.memory;
  return fits ? at_most : LargestRecords(dataset, options.batch_size);
}

std::optional<ClassBalance> BalanceOf(const Dataset& dataset, const LoaderOptions& options) {
  if (options.sampling != Sampling::kBalanced) return std::nullopt;
  if (dataset.label_kind() != LabelKind::kClass && dataset.label_kind() != LabelKind::kInteger) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "sampling balanced needs a class for each record: open the dataset with labels that are classes or "
        "integers",
        dataset.source());
  }
  return ClassBalance(
      dataset.size(), [&](uint64_t record) { return dataset.LabelInteger(record); },
      options.epoch_size > 0 ? options.epoch_size : dataset.size(), options.seed);
}

std::optional<Mix> MixOf(const Dataset& dataset, const LoaderOptions& options) {
  if (options.sampling != Sampling::kMix) return std::nullopt;
  uint64_t records = 0;
  for (const MixPart& part : options.mix) records += part.records;
  if (records != dataset.size()) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("the parts of the mix have {} records, and the dataset has {}", records, dataset.size()),
        dataset.source());
  }
  return Mix(options.mix, options.epoch_size > 0 ? options.epoch_size : dataset.size(), options.seed);
}

std::optional<WindowOrder> WindowOf(const Dataset& dataset, const LoaderOptions& options) {
  if (options.window == 0) return std::nullopt;
  return WindowOrder(ShardsOf(dataset), options.window, options.seed);
}

}  // namespace

LoaderOptions WithDefaults(LoaderOptions options) {
  Require(options.batch_size > 0, "batch_size must be at least 1");
  Require(options.max_requests > 0, "max_requests must be at least 1");
  Require(options.threads <= kMostThreads, fmt::format("threads must be at most {}", kMostThreads));
  Require(options.max_skipped >= 0 && options.max_skipped <= 1, "max_skipped must lie between 0 and 1");
  Require(
      options.epoch_size == 0 || options.sampling != Sampling::kAll || options.shuffle,
      "epoch_size is for random orders: without shuffle every epoch would be the same part of the records; "
      "set shuffle, or take a slice of the dataset");
  Require(options.window <= kWidestWindow, fmt::format("window must be at most {} shards", kWidestWindow));
  Require(options.window == 0 || options.shuffle, "window is a way to shuffle: set shuffle too");
  Require(
      options.window == 0 || options.sampling == Sampling::kAll,
      fmt::format("sampling {} draws from all records, so no window of shards can bound what it opens; leave "
                  "window out, or take sampling all",
                  Name(options.sampling)));
  Require(options.mix.empty() == (options.sampling != Sampling::kMix),
          "sampling mix and the parts of a mix go together");
  Require(options.stall_warning > Duration::zero(), "stall_warning must be positive");
  Require(options.fields.size() < kMostRows / options.batch_size,
          "batch_size times fields must be below 2^32");
  if (options.threads == 0) options.threads = std::max(1u, std::thread::hardware_concurrency());
  const bool random = options.shuffle || options.sampling != Sampling::kAll;
  if (!options.last) options.last = random ? LastPolicy::kDrop : LastPolicy::kPartial;
  options.stall_warning = std::min(options.stall_warning, kLongestWarning);
  return options;
}

Plan PlanFor(const Dataset& dataset, const LoaderOptions& options) {
  if (dataset.size() == 0) {
    throw Error(ErrorCode::kInvalidArgument, "there is nothing to load: the dataset is empty",
                dataset.source());
  }
  if (options.sampling == Sampling::kAll && options.epoch_size > dataset.size()) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("epoch_size {} is more than the {} records, and a shuffle has each at most once; give at "
                    "most so many, or sampling replacement",
                    options.epoch_size, dataset.size()),
        dataset.source());
  }
  const Plan plan({.records = dataset.size(),
                   .seed = options.seed,
                   .shuffle = options.shuffle,
                   .sampling = options.sampling,
                   .epoch_size = options.epoch_size,
                   .window = WindowOf(dataset, options),
                   .balance = BalanceOf(dataset, options),
                   .mix = MixOf(dataset, options),
                   .batch_size = options.batch_size,
                   .rank = options.rank,
                   .world_size = options.world_size,
                   .last = *options.last});
  if (plan.Steps(0) > 0) return plan;
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("{} {} do not fill one step of {} ranks x {} rows, and last drop leaves the tail out; use "
                  "smaller batches or last partial",
                  plan.positions(),
                  options.sampling == Sampling::kAll && options.epoch_size == 0 ? "records" : "positions",
                  options.world_size, options.batch_size),
      dataset.source());
}

MemoryNeeds NeedsOf(const Dataset& dataset, std::span<const Field> fields, const LoaderOptions& options,
                    bool pixels) {
  MemoryNeeds needs;
  needs.largest_record = dataset.largest_record();
  needs.largest_uri = dataset.largest_record_uri();
  const bool replaces =
      WorksOnRows(options, fields, dataset.has_checksums()) && options.on_error == OnError::kSkip;
  const bool asks_again = replaces || pixels;
  const bool sized = std::any_of(fields.begin(), fields.end(),
                                 [](const Field& field) { return field.decode && field.image.height == 0; });
  if (sized) {
    needs.rows = MemoryNeeds::Rows::kSized;
    needs.own_replacements = asks_again;
    return needs;
  }
  if (dataset.size() > 0) needs.usual_records = dataset.total_bytes() / dataset.size() * options.batch_size;
  needs.tensor_bytes = LayOutTensors(fields, {}, options.batch_size).bytes;
  needs.batch_bytes = needs.tensor_bytes;
  if (AnyDecodes(fields)) {
    needs.own_replacements = asks_again;
  } else {
    needs.rows = MemoryNeeds::Rows::kRaw;
  }
  if (AnyRaw(fields)) {
    needs.any_record_in_any_row = replaces;
    needs.batch_bytes += replaces ? options.batch_size * needs.largest_record
                                  : LargestRawBatch(dataset, options, needs.tensor_bytes);
  }
  return needs;
}

Admission::Admission(Runtime& runtime, const MemoryNeeds& needs, uint64_t memory)
    : common_(runtime.memory()), memory_(memory) {
  static_cast<void>(LayOutMemory(needs, memory));
  if (common_ == nullptr) return;
  const uint64_t minimum = MinimumMemory(needs);
  std::optional<Reservation> taken = common_->TryAcquire(minimum);
  if (!taken) {
    throw Error(
        ErrorCode::kResourceExhausted,
        fmt::format(
            "the Runtime's memory of {} has {} left, and with this largest record the minimum for one "
            "more loader is {} ({} bytes); raise the memory of the Runtime, or lower that of the loaders",
            FormatByteSize(common_->capacity()), FormatByteSize(common_->capacity() - common_->used()),
            FormatByteSize(minimum), minimum),
        needs.largest_uri);
  }
  held_ = *std::move(taken);
}

uint64_t Admission::Extend() {
  if (common_ == nullptr) return memory_;
  for (uint64_t more = memory_ - held_.bytes(); more > 0; more /= 2) {
    if (std::optional<Reservation> taken = common_->TryAcquire(more)) {
      held_.Merge(*std::move(taken));
      break;
    }
  }
  return held_.bytes();
}

}  // namespace bucketline
