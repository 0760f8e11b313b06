#include "bucketline/loader/stream_loader.h"

#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/loader/loader_setup.h"
#include "bucketline/loader/stream_pipeline.h"
#include "bucketline/loader/stream_setup.h"

namespace bucketline {
namespace {

[[noreturn]] void ThrowClosed() { throw Error(ErrorCode::kCancelled, "the loader is closed"); }

}  // namespace

struct StreamLoader::Impl {
  Impl(Stream the_stream, LoaderOptions the_options)
      : stream(std::move(the_stream)),
        options(WithStreamDefaults(stream, std::move(the_options))),
        fields(FieldsOf(stream.part_names(), options)),
        needs(StreamNeeds(stream, fields, options)),
        labels(stream.options().classes, stream.options().one_hot),
        admission(stream.runtime(), needs, options.memory) {}

  bool InItsProcess() const { return getpid() == process; }
  std::shared_ptr<StreamPipeline> StartLocked();
  bool IsOverLocked() const { return options.epochs && epoch >= *options.epochs; }
  std::shared_ptr<StreamPipeline> Running();
  std::optional<Batch> Next();
  void Move(uint64_t to_epoch, uint64_t to_position);
  void CheckState(const LoaderState& state) const;
  void Close();
  LoaderStats Stats() const;

  const pid_t process = getpid();
  const Stream stream;
  const LoaderOptions options;
  const std::vector<Field> fields;
  const MemoryNeeds needs;
  StreamLabels labels;  // of the pipeline that runs
  StatsCollector stats;

  std::mutex control;   // held while a pipeline starts or stops: there is one at a time. Taken before `mutex`
  Admission admission;  // guarded by control

  mutable std::mutex mutex;              // guards what follows
  std::unique_ptr<MemoryBudget> common;  // from the first start on, as is the pool
  std::unique_ptr<BatchPool> pool;
  std::shared_ptr<StreamPipeline> pipeline;  // of this epoch; absent before its first Next
  bool closed = false;
  uint64_t epoch = 0;
  uint64_t position = 0;  // samples of the epoch that are used
};

std::shared_ptr<StreamPipeline> StreamLoader::Impl::StartLocked() {
  if (pipeline != nullptr) return pipeline;
  if (common == nullptr) {
    common = std::make_unique<MemoryBudget>(admission.Extend());
    pool = std::make_unique<BatchPool>(LayOutMemory(needs, common->capacity()).batches, options.allocator);
  }
  pipeline = std::make_shared<StreamPipeline>(StreamParts{.stream = &stream,
                                                          .options = &options,
                                                          .fields = fields,
                                                          .needs = &needs,
                                                          .layout = LayOutMemory(needs, common->capacity()),
                                                          .common = common.get(),
                                                          .pool = pool.get(),
                                                          .stats = &stats,
                                                          .labels = &labels,
                                                          .epoch = epoch,
                                                          .start = position});
  return pipeline;
}

// nullptr after the last epoch.
std::shared_ptr<StreamPipeline> StreamLoader::Impl::Running() {
  static_cast<void>(stream.runtime().memory());  // throws after fork
  std::lock_guard starting(control);
  std::lock_guard lock(mutex);
  if (closed) ThrowClosed();
  return IsOverLocked() ? nullptr : StartLocked();
}

std::optional<Batch> StreamLoader::Impl::Next() {
  const WaitCounter wait(stats);
  for (;;) {
    const std::shared_ptr<StreamPipeline> running = Running();
    if (running == nullptr) return std::nullopt;
    std::optional<Batch> batch = running->Take();
    uint64_t next = 0;
    {
      std::lock_guard lock(mutex);
      if (closed) ThrowClosed();
      if (pipeline != running) continue;  // restored meanwhile
      if (batch) {
        position = batch->State().position;
        return batch;
      }
      next = epoch + 1;
    }
    Move(next, 0);
    return std::nullopt;
  }
}

// Lets go of the FIFO, if there is one. The next one is opened when it is asked for.
void StreamLoader::Impl::Move(uint64_t to_epoch, uint64_t to_position) {
  std::lock_guard stopping(control);
  std::shared_ptr<StreamPipeline> stopped;
  {
    std::lock_guard lock(mutex);
    if (closed) ThrowClosed();
    stopped = std::move(pipeline);
    epoch = to_epoch;
    position = to_position;
  }
  if (stopped != nullptr) stopped->Stop();
}

void StreamLoader::Impl::CheckState(const LoaderState& state) const {
  const auto refuse = [](const std::string& what) {
    throw Error(ErrorCode::kInvalidArgument, "this state is of another run: " + what);
  };
  if (state.fingerprint != stream.fingerprint())
    refuse("it is not of " + stream.source() + " with these attributes and classes");
  if (state.seed != options.seed)
    refuse(fmt::format("its seed is {}, the loader's {}", state.seed, options.seed));
  if (state.shuffle || state.sampling != Sampling::kAll) refuse("its order is no stream's");
}

void StreamLoader::Impl::Close() {
  std::lock_guard stopping(control);
  std::shared_ptr<StreamPipeline> stopped;
  {
    std::lock_guard lock(mutex);
    closed = true;
    stopped = std::move(pipeline);
  }
  if (stopped != nullptr) stopped->Stop();
  if (pool != nullptr) pool->Drain();
  admission.Release();
}

LoaderStats StreamLoader::Impl::Stats() const {
  LoaderStats result = stats.Read();
  std::lock_guard lock(mutex);
  result.budget_capacity = common == nullptr ? options.memory : common->capacity();
  result.budget_peak = common == nullptr ? 0 : common->peak();
  result.decode_threads = WorksOnRows(options, fields, /*has_checksums=*/false) ? options.threads : 0;
  result.lent_bytes = pool == nullptr ? 0 : pool->lent_bytes();
  return result;
}

StreamLoader::StreamLoader(Stream stream, LoaderOptions options)
    : impl_(std::make_unique<Impl>(std::move(stream), std::move(options))) {}

StreamLoader::~StreamLoader() {
  if (impl_ == nullptr) return;
  // In a forked child the threads to join do not exist; waiting for them would never end.
  if (!impl_->InItsProcess()) {
    [[maybe_unused]] const Impl* left = impl_.release();
    return;
  }
  impl_->Close();
}

StreamLoader::StreamLoader(StreamLoader&&) noexcept = default;

StreamLoader& StreamLoader::operator=(StreamLoader&& other) noexcept {
  StreamLoader ending(std::move(*this));
  impl_ = std::move(other.impl_);
  return *this;
}

std::optional<Batch> StreamLoader::Next() { return impl_->Next(); }

bool StreamLoader::WaitFor(Duration longest) {
  const WaitCounter wait(impl_->stats);
  const std::shared_ptr<StreamPipeline> running = impl_->Running();
  return running == nullptr || running->WaitFor(longest);
}

uint64_t StreamLoader::epoch() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->epoch;
}

const Stream& StreamLoader::stream() const { return impl_->stream; }
const LoaderOptions& StreamLoader::options() const { return impl_->options; }

LoaderState StreamLoader::State() const {
  std::lock_guard lock(impl_->mutex);
  return {.epoch = impl_->epoch,
          .position = impl_->position,
          .seed = impl_->options.seed,
          .fingerprint = impl_->stream.fingerprint()};
}

void StreamLoader::Restore(const LoaderState& state) {
  impl_->CheckState(state);
  impl_->Move(state.epoch, state.position);
}

LoaderStats StreamLoader::Stats() const { return impl_->Stats(); }

void StreamLoader::Close() {
  if (impl_->InItsProcess()) impl_->Close();
}

}  // namespace bucketline
