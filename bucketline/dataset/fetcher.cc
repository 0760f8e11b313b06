#include "bucketline/dataset/fetcher.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/pinning.h"
#include "bucketline/exec/thread_pool.h"
#include "bucketline/store/object_store.h"

namespace bucketline {
namespace {

// Beside the budget: what was delivered and used lies here until the next record comes.
constexpr uint64_t kMostIdleBytes = uint64_t{32} << 20;
constexpr uint64_t kIdleShare = 16;  // of the budget
constexpr size_t kMostReady = 32;

Error Cancelled() { return Error(ErrorCode::kCancelled, "fetching was stopped"); }

}  // namespace

// Memory of exactly the range's length, made when the store is about to fill it.
class Fetcher::BufferSink : public GetSink {
 public:
  BufferSink(uint64_t length, const FetcherOptions& options, std::shared_ptr<BufferPool> buffers)
      : length_(length), options_(options), buffers_(std::move(buffers)) {}

  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo& object) override {
    if (size != length_) {
      return Error(ErrorCode::kObjectChanged,
                   fmt::format("{} bytes were expected, the store has {} of an object of {}", length_, size,
                               object.size));
    }
    if (buffer_ == nullptr) buffer_ = buffers_->Take(length_);
    return std::span<uint8_t>(buffer_.get(), length_);
  }

  // Beside what the fetch itself has reserved, so only where nobody waits for it.
  std::shared_ptr<GetSink> Second() override {
    auto second = std::make_shared<BufferSink>(length_, options_, buffers_);
    for (const auto& [budget, share] :
         {std::pair{options_.budget, &second->lease_.own}, {options_.common, &second->lease_.common}}) {
      if (budget == nullptr) continue;
      std::optional<Reservation> got = budget->TryAcquire(length_);
      if (!got) return nullptr;
      *share = *std::move(got);
    }
    return second;
  }
  void TakeFrom(GetSink& second) override { std::swap(buffer_, static_cast<BufferSink&>(second).buffer_); }

  void NoteCache(bool hit) override { cached_ = hit; }
  std::optional<bool> cached() const { return cached_; }

  Bytes Take() {
    const uint8_t* data = buffer_.get();
    return Bytes(std::move(buffer_), data, length_);
  }

 private:
  const uint64_t length_;
  const FetcherOptions options_;
  const std::shared_ptr<BufferPool> buffers_;
  Lease lease_;  // of a second sink: ends when nobody writes to its buffer any more
  std::shared_ptr<uint8_t[]> buffer_;
  std::optional<bool> cached_;
};

// What is under way for one item.
struct Fetcher::Call {
  uint64_t tag = 0;
  ObjectStore* store = nullptr;  // not shared: no thread of a store may be the last to let go of it
  PinMode pin = PinMode::kEtag;
  bool keep = true;
  RecordPart part;
  std::string uri;
  Lease lease;
  Reservation request;
  SteadyTime start;
};

Fetcher::Fetcher(FetcherOptions options, Next next, Deliver deliver)
    : options_(options),
      next_(std::move(next)),
      deliver_(std::move(deliver)),
      buffers_(options.buffers ? options.buffers
                               : std::make_shared<BufferPool>(
                                     std::min(options.budget->capacity() / kIdleShare, kMostIdleBytes))),
      most_ready_(std::min<size_t>(options.requests->capacity() / 2, kMostReady)) {
  thread_ = StartThread("bl-fetch", [this] { Run(); });
}

Fetcher::~Fetcher() { Stop(); }

void Fetcher::Stop() {
  stop_.request_stop();
  {
    std::lock_guard lock(mutex_);
    ready_taken_.notify_one();
  }
  {
    std::lock_guard lock(join_mutex_);
    if (thread_.joinable()) thread_.join();
  }
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [&] { return in_flight_ == 0; });
}

void Fetcher::Run() {
  while (!stop_.stop_requested()) {
    std::optional<FetchItem> item = next_(stop_.get_token());
    if (!item) return;
    {
      std::lock_guard lock(mutex_);
      ++in_flight_;
    }
    const uint64_t tag = item->tag;
    try {
      Issue(*std::move(item));
    } catch (const Error& error) {
      Finish(tag, error);
    } catch (const std::exception& exception) {
      Finish(tag, Error(ErrorCode::kInternal, exception.what()));
    }
  }
}

void Fetcher::Issue(FetchItem item) {
  auto call = std::make_shared<Call>();
  call->tag = item.tag;
  call->store = item.place.store.get();
  call->pin = item.place.pin;
  call->keep = item.keep;
  call->part = std::move(item.place.part);
  call->uri = UriOfPart(*call->store, call->part);
  const auto reserve = [&](MemoryBudget* budget, uint64_t amount, Reservation& into) {
    if (budget == nullptr) return true;
    std::optional<Reservation> got = budget->Acquire(amount, stop_.get_token());
    if (!got) return false;
    into = *std::move(got);
    return true;
  };
  if (!reserve(options_.budget, call->part.length, call->lease.own) ||
      !reserve(options_.common, call->part.length, call->lease.common)) {
    Finish(call->tag, Cancelled().WithUri(call->uri));
    return;
  }
  {
    std::lock_guard lock(mutex_);
    ready_.push_back(std::move(call));
  }
  StartReady();
}

void Fetcher::StartReady() {
  for (;;) {
    std::optional<Reservation> request = options_.requests->TryAcquire(1);
    if (!request) {
      if (AwaitRoom()) return;
      request = options_.requests->Acquire(1, stop_.get_token());
    }
    if (!request) return CancelReady();
    std::shared_ptr<Call> call;
    {
      std::lock_guard lock(mutex_);
      if (ready_.empty()) return;
      call = std::move(ready_.front());
      ready_.pop_front();
      ++running_;
    }
    call->request = *std::move(request);
    Start(std::move(call));
  }
}

// False when nobody else is sure to start what is ready. Sleeps until half of the room is free, so that it is worth waking.
bool Fetcher::AwaitRoom() {
  std::unique_lock lock(mutex_);
  if (running_ == 0 || most_ready_ == 0) return ready_.empty();
  if (ready_.size() < most_ready_) return true;
  ready_taken_.wait(lock, [&] { return ready_.size() <= most_ready_ / 2 || stop_.stop_requested(); });
  return true;
}

void Fetcher::CancelReady() {
  std::deque<std::shared_ptr<Call>> dropped;
  {
    std::lock_guard lock(mutex_);
    dropped.swap(ready_);
  }
  for (const auto& call : dropped) Finish(call->tag, Cancelled().WithUri(call->uri));
}

void Fetcher::Start(std::shared_ptr<Call> call) {
  while (call != nullptr) {
    const Result<void> asked = Catch([&] { Ask(call); });
    if (asked) return;
    call = End(*call, asked.error());
  }
}

void Fetcher::Ask(const std::shared_ptr<Call>& call) {
  call->start = Clock::Real().Now();
  GetRequest request = PinnedGet(call->part, call->pin);
  request.keep = call->keep;
  request.stop = stop_.get_token();
  auto sink = std::make_shared<BufferSink>(call->part.length, options_, buffers_);
  call->store->Get(std::move(request), sink, [this, call, sink](const Result<ObjectInfo>& got) {
    Result<Fetched> result = Error(ErrorCode::kInternal, "");
    if (got) {
      result = Fetched{.lease = std::move(call->lease),
                       .bytes = sink->Take(),
                       .etag = got->etag,
                       .crc32c = call->part.crc32c,
                       .wall = Clock::Real().Now() - call->start,
                       .cached = sink->cached()};
    } else {
      result = ExplainPin(got.error().WithUri(call->uri), call->pin);
    }
    if (auto next = End(*call, std::move(result))) Start(std::move(next));
  });
}

// Delivers. What is returned has got the request of the one that ended; without it, the fetcher may be gone.
std::shared_ptr<Fetcher::Call> Fetcher::End(Call& call, Result<Fetched> result) {
  std::shared_ptr<Call> next;
  bool half_taken = false;
  {
    std::lock_guard lock(mutex_);
    // Whoever else waits for a request has its turn, unless nobody were left to start what is ready.
    if (!ready_.empty() && (running_ == 1 || options_.requests->waiting() == 0)) {
      next = std::move(ready_.front());
      ready_.pop_front();
      half_taken = ready_.size() == most_ready_ / 2;
    } else {
      --running_;
    }
  }
  if (half_taken) ready_taken_.notify_one();
  if (next) next->request = std::move(call.request);
  call.request.Release();
  if (!result) call.lease.Release();
  Finish(call.tag, std::move(result));
  return next;
}

void Fetcher::Finish(uint64_t tag, Result<Fetched> result) {
  deliver_(tag, std::move(result));
  std::lock_guard lock(mutex_);
  --in_flight_;
  idle_.notify_all();  // under the lock: once it is released, Stop may return and the fetcher may be gone
}

}  // namespace bucketline
