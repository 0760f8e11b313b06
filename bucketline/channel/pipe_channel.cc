#include "bucketline/channel/pipe_channel.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/metrics.h"
#include "bucketline/base/units.h"
#include "bucketline/channel/fifo.h"
#include "bucketline/channel/fifo_writer.h"
#include "bucketline/channel/pipe_epoch.h"
#include "bucketline/exec/thread_pool.h"
#include "bucketline/store/stop_event.h"

namespace bucketline {
namespace {

constexpr size_t kOpenEpochs = 2;  // a reader may open the next epoch before it lets go of the last
constexpr uint64_t kIdleShare =
    8;  // of the memory, for buffers between two uses: fresh pages cost more than the copy

// Threads that take turns: one waits for the next epoch's reader, while others write to those that have one.
class FifoChannel : public PipeChannel {
 public:
  FifoChannel(ChannelObjects objects, const ChannelSpec& spec, const std::string& folder, PipeOptions options,
              ChannelFailure failed, Reservation memory)
      : objects_(std::move(objects)),
        format_{.compression = spec.compression, .wrapper = spec.wrapper},
        options_(std::move(options)),
        failed_(std::move(failed)),
        memory_(std::move(memory)),
        path_(fmt::format("{}/{}_", folder, spec.name)),
        requests_(std::max<size_t>(options_.requests, 1)),
        resources_{.memory = (options_.memory - options_.memory / kIdleShare) / kOpenEpochs,
                   .requests = &requests_,
                   .buffers = std::make_shared<BufferPool>(options_.memory / kIdleShare)},
        next_(std::make_shared<Fifo>(path_ + "0")) {
    try {
      for (std::thread& thread : threads_) thread = StartThread("bl-pipe", [this] { Run(); });
    } catch (...) {
      Stop();
      throw;
    }
  }

  ~FifoChannel() override { FifoChannel::Stop(); }

  uint64_t bytes_served() const override { return bytes_.value(); }

  Counts counts() const override {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

  const ChannelObjects& objects() const override { return objects_; }

  void Wait(std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    const bool over = changed_.wait(lock, stop, [&] {
      return failure_ ? held_ == 0 : options_.epochs > 0 && counts_.whole + counts_.left == options_.epochs;
    });
    if (failure_) throw *failure_;
    if (!over) throw Error(ErrorCode::kCancelled, "the channel was stopped");
  }

  void Stop() override {
    const std::lock_guard stopping(stop_mutex_);
    stop_.request_stop();
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
      changed_.notify_all();
    }
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    next_.reset();
  }

 private:
  struct Turn {
    uint64_t epoch = 0;
    std::shared_ptr<Fifo> fifo;
  };

  void Run() {
    while (const std::optional<Turn> turn = TakeTurn()) {
      const Result<void> served = Catch([&] { Serve(*turn); });
      if (!served) Fail(served.error());
    }
  }

  // The next epoch, for this thread alone. nullopt when there is none to come.
  std::optional<Turn> TakeTurn() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return over_ || !opening_; });
    if (over_) return std::nullopt;
    opening_ = true;
    return Turn{.epoch = epoch_, .fifo = next_};
  }

  void Serve(const Turn& turn) {
    if (!turn.fifo->AwaitReader(stop_event_.fd())) return;
    UniqueFd fd = turn.fifo->TakeWriting();
    ::fcntl(fd.get(), F_SETPIPE_SZ,
            static_cast<int>(options_.pipe_size));  // a smaller one is slower, no more
    FifoWriter writer(
        std::move(fd), stop_event_.fd(), [this](uint64_t bytes) { bytes_.Add(bytes); }, turn.fifo->path());
    const Result<void> written = Catch([&] {
      HandOn();
      WritePipeEpoch(objects_, turn.epoch, format_, resources_, writer, stop_.get_token());
    });
    if (written || writer.Look() != FifoWriter::State::kOpen) {
      End(writer.state(), *turn.fifo);
    } else {
      Hold(writer, written.error());
    }
  }

  // This epoch has a reader: another thread may wait for that of the next one.
  void HandOn() {
    const std::lock_guard lock(mutex_);
    if (failure_) throw *failure_;
    if (over_) return;
    ++epoch_;
    if (epoch_ == options_.epochs) {
      over_ = true;
    } else {
      next_ = std::make_shared<Fifo>(fmt::format("{}{}", path_, epoch_));
      opening_ = false;
    }
    changed_.notify_all();
  }

  void End(FifoWriter::State state, Fifo& fifo) {
    fifo.Remove();
    const std::lock_guard lock(mutex_);
    if (state == FifoWriter::State::kOpen) ++counts_.whole;
    if (state == FifoWriter::State::kReaderGone) ++counts_.left;
    if (state == FifoWriter::State::kStopped) ++counts_.cut;
    changed_.notify_all();
  }

  // Its reader must not take the failure for the end of the epoch.
  void Hold(FifoWriter& writer, const Error& error) {
    {
      const std::lock_guard lock(mutex_);
      ++held_;
    }
    Fail(error);
    writer.Hold();
    const std::lock_guard lock(mutex_);
    --held_;
    changed_.notify_all();
  }

  void Fail(const Error& error) {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
      changed_.notify_all();
      if (failure_ || stop_.stop_requested()) return;
      failure_ = error;
    }
    if (failed_) failed_(error);
  }

  const ChannelObjects objects_;
  const PipeFormat format_;
  const PipeOptions options_;
  const ChannelFailure failed_;
  const Reservation memory_;
  const std::string path_;  // of the FIFOs, without the epoch
  MemoryBudget requests_;
  const PipeResources resources_;
  Counter bytes_;
  std::stop_source stop_;
  StopEvent stop_event_{stop_.get_token()};

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable_any changed_;
  uint64_t epoch_ = 0;          // that has had no reader yet
  std::shared_ptr<Fifo> next_;  // its FIFO
  bool opening_ = false;        // a thread waits for its reader
  bool over_ = false;           // no further epoch is opened
  Counts counts_;
  std::optional<Error> failure_;
  size_t held_ = 0;  // epochs whose readers are kept waiting

  std::mutex stop_mutex_;  // one Stop at a time
  std::array<std::thread, kOpenEpochs> threads_;
};

Reservation ReserveMemory(Runtime& runtime, const PipeOptions& options, const std::string& uri) {
  if (options.memory < PipeChannel::kLeastMemory) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("a channel of {} of memory cannot be served; it needs {} at least",
                            FormatByteSize(options.memory), FormatByteSize(PipeChannel::kLeastMemory)),
                uri);
  }
  if (runtime.memory() == nullptr) return {};
  std::optional<Reservation> memory = runtime.memory()->TryAcquire(options.memory);
  if (!memory) {
    throw Error(
        ErrorCode::kResourceExhausted,
        fmt::format("the channel is to have {} of memory, and the Runtime's cap of {} has not that much left",
                    FormatByteSize(options.memory), FormatByteSize(runtime.memory()->capacity())),
        uri);
  }
  return *std::move(memory);
}

}  // namespace

std::unique_ptr<PipeChannel> ServePipe(Runtime& runtime, const ChannelSpec& spec, ChannelHost host,
                                       const std::string& folder, PipeOptions options,
                                       ChannelFailure failed) {
  Reservation memory = ReserveMemory(runtime, options, spec.uri);
  ChannelObjects objects = ChannelObjects::Open(runtime, spec, host, options.objects);
  return std::make_unique<FifoChannel>(std::move(objects), spec, folder, std::move(options),
                                       std::move(failed), std::move(memory));
}

}  // namespace bucketline
