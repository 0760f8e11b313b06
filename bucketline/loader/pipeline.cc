#include "bucketline/loader/pipeline.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/exec/thread_pool.h"
#include "bucketline/loader/cpu_pinning.h"
#include "bucketline/loader/skip_policy.h"

namespace bucketline {
namespace {

// What one Get reads for neighbours: as much as hides what a Get costs, little enough for many to be under way.
constexpr uint64_t kMostJoined = uint64_t{1} << 20;
// Where nothing is decoded, batches count their own copies, and nobody counts what those are copied from.
constexpr uint64_t kMostJoinedRaw = uint64_t{64} << 10;
constexpr uint64_t kJoinedShare = 8;  // of the memory for records

uint64_t MostJoined(const PipelineParts& parts) {
  return std::min(AnyDecodes(parts.fields) ? kMostJoined : kMostJoinedRaw, parts.layout.fetch / kJoinedShare);
}

}  // namespace

Pipeline::Pipeline(PipelineParts parts, uint64_t epoch, uint64_t start)
    : parts_(std::move(parts)),
      slots_(parts_.layout.batches),
      fetch_(parts_.layout.fetch),
      replacement_(parts_.layout.replacement),
      scratch_(parts_.layout.scratch),
      requests_(parts_.options.max_requests),
      cursor_(parts_.plan, epoch, start, parts_.options.epochs.value_or(PlanCursor::kEndless)),
      neighbours_(MostJoined(parts_)),
      stall_(parts_.options.stall_warning),
      taken_epoch_(epoch) {
  FetcherOptions fetching{.budget = &fetch_, .common = parts_.common, .requests = &requests_};
  if (!AnyDecodes(parts_.fields)) fetching.common = nullptr;  // the batch's slot counts these bytes
  const auto deliver = [this](uint64_t tag, Result<Fetched> result) { OnFetched(tag, std::move(result)); };
  try {
    if (parts_.works_on_rows()) StartWorkers();
    if (parts_.works_on_rows() && (parts_.options.on_error == OnError::kSkip || parts_.pixels != nullptr)) {
      FetcherOptions replacing = fetching;
      if (parts_.needs.own_replacements) replacing.budget = &replacement_;
      replacement_fetcher_ = std::make_unique<Fetcher>(
          replacing, [this](const std::stop_token& stop) { return NextReplacement(stop); }, deliver);
    }
    fetcher_ = std::make_unique<Fetcher>(
        fetching, [this](const std::stop_token& stop) { return NextItem(stop); }, deliver);
  } catch (...) {
    Stop();
    throw;
  }
}

void Pipeline::StartWorkers() {
  const std::vector<int> cpus = parts_.options.pin_threads ? CpusOfProcess() : std::vector<int>();
  while (workers_.size() < parts_.options.threads) {
    workers_.push_back(StartThread("bl-decode", [this] { RunWorker(); }));
    if (!cpus.empty()) PinThread(workers_.back(), cpus[(workers_.size() - 1) % cpus.size()]);
  }
}

Pipeline::~Pipeline() { Stop(); }

void Pipeline::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    front_finished_.notify_all();
  }
  stop_.request_stop();
  queue_.Close();  // before the fetchers end: no transform begins any more
  if (fetcher_ != nullptr) fetcher_->Stop();
  if (replacement_fetcher_ != nullptr) replacement_fetcher_->Stop();
  {
    std::lock_guard lock(join_mutex_);
    for (std::thread& worker : workers_) {
      if (worker.joinable()) worker.join();
    }
  }
  std::lock_guard lock(mutex_);
  open_.clear();
}

std::optional<Batch> Pipeline::Take() {
  std::unique_lock lock(mutex_);
  WaitForFront(lock, SteadyTime::max());
  if (stopped_) return std::nullopt;
  stall_.End();
  CheckFrontLocked();
  const uint64_t bad = CountSkipsLocked(*open_.front());
  const OpenRow::Made made = made_;
  const std::unique_ptr<OpenBatch> taken = std::move(open_.front());
  open_.pop_front();
  ++front_;
  skip_count_ = (taken->plan.epoch == taken_epoch_ ? skip_count_ : 0) + bad;
  taken_epoch_ = taken->plan.epoch;
  taken->slot.Release();  // under the lock: who waits for a slot looks for one under it
  slot_returned_.notify_all();
  replacement_wanted_.notify_all();  // another batch is the oldest
  lock.unlock();

  if (parks_rows()) GrantSlots();
  if (taken->block != nullptr) parts_.pool->Lend(*taken->block);
  if (taken->counted != nullptr) parts_.pool->Lend(*taken->counted);
  Batch batch = Assemble(*taken, parts_.dataset, parts_.plan, parts_.fields, parts_.fingerprint,
                         made == OpenRow::Made::kValue);
  uint64_t valid = 0;
  for (const uint8_t flag : batch.valid()) valid += flag;
  const bool masks = parts_.options.on_error == OnError::kMask;
  parts_.stats->CountBatch(valid, masks ? 0 : bad, masks ? bad : 0);
  return batch;
}

// Throws what keeps the oldest batch from being delivered.
void Pipeline::CheckFrontLocked() {
  const OpenBatch& batch = *open_.front();
  if (batch.error) {
    const RowError& failed = batch.error->second;
    if (failed.cause) throw TransformError(failed.error, failed.cause);
    throw failed.error;
  }
  const std::optional<uint32_t> value = batch.FirstMade(OpenRow::Made::kValue);
  const std::optional<uint32_t> pixels = batch.FirstMade(OpenRow::Made::kPixels);
  if (value && (pixels || made_ == OpenRow::Made::kPixels))
    ThrowMixed(batch, *value, "gave a value for", "kept");
  if (pixels && made_ == OpenRow::Made::kValue) ThrowMixed(batch, *pixels, "kept", "gave values for");
  if (value || pixels) made_ = value ? OpenRow::Made::kValue : OpenRow::Made::kPixels;
}

void Pipeline::ThrowMixed(const OpenBatch& batch, uint32_t row, std::string_view did,
                          std::string_view others) const {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("the transform {} this sample and {} others: it must do one of both in a whole run",
                          did, others),
              UriOf(batch.rows[row].record));
}

bool Pipeline::WaitFor(Duration longest) {
  std::unique_lock lock(mutex_);
  return WaitForFront(lock, Clock::Real().Now() + longest);
}

// False when `until` comes first.
bool Pipeline::WaitForFront(std::unique_lock<std::mutex>& lock, SteadyTime until) {
  return stall_.Wait(
      lock, front_finished_, until, [&] { return stopped_ || (!open_.empty() && open_.front()->finished()); },
      [&](Duration waited) { WarnOfStall(lock, waited); });
}

void Pipeline::WarnOfStall(std::unique_lock<std::mutex>& lock, Duration waited) {
  std::string message = "the first batch has not been begun";
  if (!open_.empty()) {
    const OpenBatch& batch = *open_.front();
    message = fmt::format("{} of {} rows are not done in the batch at position {} of epoch {}", batch.pending,
                          batch.rows.size(), batch.plan.position, batch.plan.epoch);
  }
  const double seconds = std::chrono::duration<double>(waited).count();
  message = fmt::format(
      "Next has waited {:.3g} s for data from {}: {}, {} requests are under way; the store may be slow "
      "or unreachable",
      seconds, parts_.dataset.source(), message, requests_.used());
  lock.unlock();
  parts_.dataset.runtime().log()(LogLevel::kWarning, message);
  lock.lock();
}

// How many samples of the batch were skipped or masked. Throws when that is one too many for the epoch.
uint64_t Pipeline::CountSkipsLocked(const OpenBatch& batch) const {
  const Plan::Config& plan = parts_.plan.config();
  const uint64_t allowed =
      SkipAllowance(parts_.options.max_skipped, parts_.plan.positions(), plan.world_size);
  const uint64_t before = batch.plan.epoch == taken_epoch_ ? skip_count_ : 0;
  uint64_t bad = 0;
  for (size_t i = 0; i < batch.rows.size(); ++i) {
    if (!batch.rows[i].bad || !batch.plan.rows[i].valid) continue;
    ++bad;
    if (before + bad <= allowed) continue;
    throw Error(
        ErrorCode::kCorruptData,
        fmt::format(
            "{} samples of epoch {} could not be used, and max_skipped = {} allows {}; the last one: {}; "
            "mend the data, or raise max_skipped",
            before + bad, batch.plan.epoch, parts_.options.max_skipped, allowed, batch.rows[i].bad->reason),
        batch.rows[i].bad->uri);
  }
  return bad;
}

}  // namespace bucketline
