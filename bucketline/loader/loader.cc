#include "bucketline/loader/loader.h"

#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/loader/loader_setup.h"
#include "bucketline/loader/pipeline.h"
#include "bucketline/loader/pixel_tier.h"

namespace bucketline {
namespace {

[[noreturn]] void ThrowClosed() { throw Error(ErrorCode::kCancelled, "the loader is closed"); }

}  // namespace

struct Loader::Impl {
  Impl(Dataset the_dataset, LoaderOptions the_options)
      : dataset(std::move(the_dataset)),
        options(WithDefaults(std::move(the_options))),
        fields(FieldsOf(dataset.part_names(), options)),
        plan(PlanFor(dataset, options)),
        pixels(dataset, fields, options),
        needs(NeedsOf(dataset, fields, options, pixels.any())),
        fingerprint(dataset.fingerprint()),
        admission(dataset.runtime(), needs, options.memory) {}

  bool InItsProcess() const { return getpid() == process; }
  uint64_t Steps() const { return plan.Steps(start); }
  LoaderState State() const;
  std::shared_ptr<Pipeline> StartLocked();
  bool EpochIsOverLocked() const;
  bool WaitFor(Duration longest);
  std::optional<Batch> Next();
  void Restore(const LoaderState& state);
  void CheckState(const LoaderState& state) const;
  void Close();
  LoaderStats Stats() const;

  const pid_t process = getpid();
  const Dataset dataset;
  const LoaderOptions options;
  const std::vector<Field> fields;
  const Plan plan;
  const PixelTier pixels;
  const MemoryNeeds needs;
  const uint64_t fingerprint;
  StatsCollector stats;

  std::mutex control;   // held while a pipeline starts or stops: there is one at a time. Taken before `mutex`
  Admission admission;  // guarded by control

  mutable std::mutex mutex;              // guards what follows
  std::unique_ptr<MemoryBudget> common;  // from the first start on, as is the pool
  std::unique_ptr<BatchPool> pool;
  std::shared_ptr<Pipeline> pipeline;  // absent before the first Next, after Restore and after Close
  bool closed = false;
  uint64_t epoch = 0;
  uint64_t start = 0;      // the position that this epoch's steps are dealt from
  uint64_t position = 0;   // the first one that is not consumed
  uint64_t delivered = 0;  // steps since `start`
};

LoaderState Loader::Impl::State() const {
  std::lock_guard lock(mutex);
  return {.epoch = epoch,
          .position = position,
          .seed = options.seed,
          .shuffle = options.shuffle,
          .fingerprint = fingerprint,
          .sampling = options.sampling,
          .epoch_size = options.epoch_size,
          .mix = plan.mix_fingerprint(),
          .window = plan.window()};
}

// The Runtime's share is settled at the first start: loaders that are made together then share it.
std::shared_ptr<Pipeline> Loader::Impl::StartLocked() {
  if (pipeline != nullptr) return pipeline;
  if (common == nullptr) {
    common = std::make_unique<MemoryBudget>(admission.Extend());
    pool = std::make_unique<BatchPool>(LayOutMemory(needs, common->capacity()).batches, options.allocator);
  }
  PipelineParts parts{.dataset = dataset,
                      .options = options,
                      .fields = fields,
                      .plan = plan,
                      .needs = needs,
                      .layout = LayOutMemory(needs, common->capacity()),
                      .pixels = pixels.any() ? &pixels : nullptr,
                      .fingerprint = fingerprint,
                      .common = common.get(),
                      .pool = pool.get(),
                      .stats = &stats};
  pipeline = std::make_shared<Pipeline>(std::move(parts), epoch, start);
  return pipeline;
}

bool Loader::Impl::EpochIsOverLocked() const {
  return (options.epochs && epoch >= *options.epochs) || delivered == Steps();
}

bool Loader::Impl::WaitFor(Duration longest) {
  static_cast<void>(dataset.runtime().memory());  // throws after fork
  const WaitCounter wait(stats);
  std::shared_ptr<Pipeline> running;
  {
    std::lock_guard starting(control);
    std::lock_guard lock(mutex);
    if (closed) ThrowClosed();
    if (EpochIsOverLocked()) return true;
    running = StartLocked();
  }
  return running->WaitFor(longest);
}

std::optional<Batch> Loader::Impl::Next() {
  static_cast<void>(dataset.runtime().memory());  // throws after fork
  const WaitCounter wait(stats);
  for (;;) {
    std::shared_ptr<Pipeline> running;
    {
      std::lock_guard starting(control);
      std::lock_guard lock(mutex);
      if (closed) ThrowClosed();
      if (options.epochs && epoch >= *options.epochs) return std::nullopt;
      if (delivered == Steps()) {
        ++epoch;
        start = position = delivered = 0;
        return std::nullopt;
      }
      running = StartLocked();
    }
    std::optional<Batch> batch = running->Take();
    std::lock_guard lock(mutex);
    if (closed) ThrowClosed();
    if (!batch || pipeline != running) continue;  // restored meanwhile
    ++delivered;
    position = batch->State().position;
    return batch;
  }
}

void Loader::Impl::CheckState(const LoaderState& state) const {
  const auto refuse = [](const std::string& what) {
    throw Error(ErrorCode::kInvalidArgument, "this state is of another run: " + what);
  };
  if (state.fingerprint != fingerprint) {
    refuse(fmt::format(
        "its data has fingerprint {:016x}, the loader's {:016x}; open the same data, or start anew",
        state.fingerprint, fingerprint));
  }
  if (state.seed != options.seed)
    refuse(fmt::format("its seed is {}, the loader's {}", state.seed, options.seed));
  if (state.shuffle != options.shuffle)
    refuse(fmt::format("its shuffle is {}, the loader's {}", state.shuffle, options.shuffle));
  if (state.window != options.window) {
    refuse(fmt::format("its window is {}, the loader's {} (0: a shuffle of all records)", state.window,
                       options.window));
  }
  if (state.sampling != options.sampling) {
    refuse(fmt::format("its sampling is {}, the loader's {}", Name(state.sampling), Name(options.sampling)));
  }
  if (state.mix != plan.mix_fingerprint()) refuse("it mixes other datasets, or with other weights");
  if (state.epoch_size != options.epoch_size) {
    refuse(fmt::format("its epoch_size is {}, the loader's {}", state.epoch_size, options.epoch_size));
  }
  if (state.position > plan.positions()) {
    refuse(fmt::format("it stands at position {} of {}", state.position, plan.positions()));
  }
}

void Loader::Impl::Restore(const LoaderState& state) {
  CheckState(state);
  std::lock_guard stopping(control);
  std::shared_ptr<Pipeline> stopped;
  {
    std::lock_guard lock(mutex);
    if (closed) ThrowClosed();
    stopped = std::move(pipeline);
    epoch = state.epoch;
    start = position = state.position;
    delivered = 0;
  }
  if (stopped != nullptr) stopped->Stop();
}

void Loader::Impl::Close() {
  std::lock_guard stopping(control);
  std::shared_ptr<Pipeline> stopped;
  {
    std::lock_guard lock(mutex);
    closed = true;
    stopped = std::move(pipeline);
  }
  if (stopped != nullptr) stopped->Stop();
  if (pool != nullptr) pool->Drain();
  admission.Release();
}

LoaderStats Loader::Impl::Stats() const {
  LoaderStats result = stats.Read();
  std::lock_guard lock(mutex);
  result.budget_capacity = common == nullptr ? options.memory : common->capacity();
  result.budget_peak = common == nullptr ? 0 : common->peak();
  result.decode_threads = WorksOnRows(options, fields, dataset.has_checksums()) ? options.threads : 0;
  result.max_requests = options.max_requests;
  result.lent_bytes = pool == nullptr ? 0 : pool->lent_bytes();
  return result;
}

Loader::Loader(Dataset dataset, LoaderOptions options)
    : impl_(std::make_unique<Impl>(std::move(dataset), std::move(options))) {}

Loader::~Loader() {
  if (impl_ == nullptr) return;
  // In a forked child the threads to join do not exist; waiting for them would never end.
  if (!impl_->InItsProcess()) {
    [[maybe_unused]] const Impl* left = impl_.release();
    return;
  }
  impl_->Close();
}

Loader::Loader(Loader&&) noexcept = default;

Loader& Loader::operator=(Loader&& other) noexcept {
  Loader ending(std::move(*this));
  impl_ = std::move(other.impl_);
  return *this;
}

std::optional<Batch> Loader::Next() { return impl_->Next(); }
bool Loader::WaitFor(Duration longest) { return impl_->WaitFor(longest); }

uint64_t Loader::epoch() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->epoch;
}

uint64_t Loader::steps() const { return impl_->plan.Steps(0); }

uint64_t Loader::remaining() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->Steps() - impl_->delivered;
}

const Dataset& Loader::dataset() const { return impl_->dataset; }
const LoaderOptions& Loader::options() const { return impl_->options; }
LoaderState Loader::State() const { return impl_->State(); }
void Loader::Restore(const LoaderState& state) { impl_->Restore(state); }
LoaderStats Loader::Stats() const { return impl_->Stats(); }

void Loader::Close() {
  if (impl_->InItsProcess()) impl_->Close();
}

}  // namespace bucketline
