#include "bucketline/loader/stream_pipeline.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/exec/thread_pool.h"
#include "bucketline/loader/cpu_pinning.h"
#include "bucketline/loader/skip_policy.h"

namespace bucketline {
namespace {

constexpr uint64_t kIdleShare = 8;  // of the bytes in flight, what idle buffers may have beside them
// A stream does not say how long it is. Until so many samples have come, as many may be bad as of an epoch of this length.
constexpr uint64_t kShortestEpoch = 1000;

}  // namespace

StreamPipeline::StreamPipeline(const StreamParts& parts)
    : parts_(parts),
      slots_(parts.layout.batches),
      fetch_(parts.layout.fetch),
      scratch_(parts.layout.scratch),
      buffers_(std::make_shared<BufferPool>(parts.layout.fetch / kIdleShare)),
      works_on_rows_(WorksOnRows(*parts.options, parts.fields, /*has_checksums=*/false)),
      next_(parts.start),
      stall_(parts.options->stall_warning),
      samples_(parts.start) {
  try {
    const std::vector<int> cpus = parts.options->pin_threads ? CpusOfProcess() : std::vector<int>();
    const size_t workers = works_on_rows_ ? parts.options->threads : 0;
    while (threads_.size() < workers) {
      threads_.push_back(StartThread("bl-decode", [this] { RunWorker(); }));
      if (!cpus.empty()) PinThread(threads_.back(), cpus[(threads_.size() - 1) % cpus.size()]);
    }
    threads_.push_back(StartThread("bl-stream", [this] { RunReader(); }));
  } catch (...) {
    Stop();
    throw;
  }
}

StreamPipeline::~StreamPipeline() { Stop(); }

void StreamPipeline::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  stop_.request_stop();
  queue_.Close();
  {
    std::lock_guard lock(join_mutex_);
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  std::lock_guard lock(mutex_);
  open_.clear();
}

bool StreamPipeline::WaitFor(Duration longest) {
  std::unique_lock lock(mutex_);
  return WaitForFront(lock, Clock::Real().Now() + longest);
}

bool StreamPipeline::WaitForFront(std::unique_lock<std::mutex>& lock, SteadyTime until) {
  const auto ready = [&] { return stopped_ || (open_.empty() ? ended_ : open_.front()->open.finished()); };
  return stall_.Wait(lock, changed_, until, ready, [&](Duration waited) { WarnOfStall(lock, waited); });
}

void StreamPipeline::WarnOfStall(std::unique_lock<std::mutex>& lock, Duration waited) const {
  const std::string message = fmt::format(
      "Next has waited {:.3g} s for sample {} of epoch {} of {}; its writer may be slow or gone",
      std::chrono::duration<double>(waited).count(), samples_, parts_.epoch, parts_.stream->source());
  lock.unlock();
  parts_.stream->runtime().log()(LogLevel::kWarning, message);
  lock.lock();
}

std::optional<Batch> StreamPipeline::Take() {
  std::unique_lock lock(mutex_);
  for (;;) {
    WaitForFront(lock, SteadyTime::max());
    if (stopped_) return std::nullopt;
    stall_.End();
    if (open_.empty()) {
      if (failure_) throw *failure_;
      CheckBadAtEndLocked();
      return std::nullopt;
    }
    StreamBatch& front = *open_.front();
    if (front.open.error) throw front.open.error->second.error;
    const uint64_t bad = CountBadLocked(front);
    const std::unique_ptr<StreamBatch> taken = std::move(open_.front());
    open_.pop_front();
    taken_.notify_all();
    const bool empty =
        std::all_of(taken->left_out.begin(), taken->left_out.end(), [](uint8_t out) { return out != 0; });
    if (!empty && !taken->dropped) {
      lock.unlock();
      return Deliver(*taken, bad);
    }
  }
}

// How many of the batch's samples were bad. Throws when that is one too many.
uint64_t StreamPipeline::CountBadLocked(const StreamBatch& batch) {
  uint64_t bad = 0;
  std::optional<BadSample> last = last_bad_;
  for (const OpenRow& row : batch.open.rows) {
    if (!row.bad) continue;
    ++bad;
    last = row.bad;
  }
  const uint64_t samples = samples_ + batch.samples;
  const uint64_t allowed = SkipAllowance(parts_.options->max_skipped, std::max(samples, kShortestEpoch), 1);
  if (bad > 0 && bad_ + bad > allowed) {
    throw Error(
        ErrorCode::kCorruptData,
        fmt::format("{} of the first {} samples of epoch {} could not be used, and max_skipped = {} allows "
                    "{}; the last one: {}; mend the data, or raise max_skipped",
                    bad_ + bad, samples, parts_.epoch, parts_.options->max_skipped, allowed, last->reason),
        last->uri);
  }
  last_bad_ = std::move(last);
  samples_ = samples;
  bad_ += bad;
  return bad;
}

// Once it is known how long the epoch is.
void StreamPipeline::CheckBadAtEndLocked() const {
  const uint64_t allowed = SkipAllowance(parts_.options->max_skipped, samples_, 1);
  if (bad_ <= allowed) return;
  throw Error(
      ErrorCode::kCorruptData,
      fmt::format(
          "{} of the {} samples of epoch {} could not be used, and max_skipped = {} allows {}; the last "
          "one: {}; mend the data, or raise max_skipped",
          bad_, samples_, parts_.epoch, parts_.options->max_skipped, allowed, last_bad_->reason),
      last_bad_->uri);
}

Batch StreamPipeline::Deliver(StreamBatch& batch, uint64_t bad) {
  OpenBatch& open = batch.open;
  open.slot.Release();
  batch.raw_leases.clear();
  if (batch.raw_bytes > 0) open.counted = parts_.pool->Account(batch.raw_bytes);
  if (open.counted != nullptr) parts_.pool->Lend(*open.counted);
  if (open.block != nullptr) parts_.pool->Lend(*open.block);
  const Stream& stream = *parts_.stream;
  StreamFacts facts{
      .state = {.epoch = parts_.epoch, .seed = parts_.options->seed, .fingerprint = stream.fingerprint()}};
  {
    std::lock_guard lock(mutex_);
    facts.name = std::filesystem::path(stream.place().Fifo(fifo_)).filename();
  }
  Batch made = Assemble(batch, facts, parts_.fields);
  uint64_t valid = 0;
  for (const uint8_t flag : made.valid()) valid += flag;
  const bool masks = parts_.options->on_error == OnError::kMask;
  parts_.stats->CountBatch(valid, masks ? 0 : bad, masks ? bad : 0);
  return made;
}

}  // namespace bucketline
