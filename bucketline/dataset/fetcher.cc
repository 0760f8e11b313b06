#include "bucketline/dataset/fetcher.h"

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

// Memory of exactly the range's length, made when the store is about to fill it.
class BufferSink : public GetSink {
 public:
  BufferSink(uint64_t length, const FetcherOptions& options) : length_(length), options_(options) {}

  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo& object) override {
    if (size != length_) {
      return Error(ErrorCode::kObjectChanged,
                   fmt::format("{} bytes were expected, the store has {} of an object of {}", length_, size,
                               object.size));
    }
    if (buffer_ == nullptr)
      buffer_ = std::shared_ptr<uint8_t[]>(new uint8_t[length_]);  // not zeroed on purpose
    return std::span<uint8_t>(buffer_.get(), length_);
  }

  // Beside what the fetch itself has reserved, so only where nobody waits for it.
  std::shared_ptr<GetSink> Second() override {
    auto second = std::make_shared<BufferSink>(length_, options_);
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

  Bytes Take() {
    const uint8_t* data = buffer_.get();
    return Bytes(std::move(buffer_), data, length_);
  }

 private:
  const uint64_t length_;
  const FetcherOptions options_;
  Lease lease_;  // of a second sink: ends when nobody writes to its buffer any more
  std::shared_ptr<uint8_t[]> buffer_;
};

Error Cancelled() { return Error(ErrorCode::kCancelled, "fetching was stopped"); }

}  // namespace

Fetcher::Fetcher(FetcherOptions options, Next next, Deliver deliver)
    : options_(options), next_(std::move(next)), deliver_(std::move(deliver)) {
  thread_ = StartThread("bl-fetch", [this] { Run(); });
}

Fetcher::~Fetcher() { Stop(); }

void Fetcher::Stop() {
  stop_.request_stop();
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
  struct Call {
    Lease lease;
    Reservation request;
    SteadyTime start;
    std::string uri;
  };
  const PartPlace& place = item.place;
  auto call = std::make_shared<Call>();
  call->uri = place.store->UriOf(place.part.object_key);
  const std::stop_token stop = stop_.get_token();
  const auto reserve = [&](MemoryBudget* budget, uint64_t amount, Reservation& into) {
    if (budget == nullptr) return true;
    std::optional<Reservation> got = budget->Acquire(amount, stop);
    if (got) into = *std::move(got);
    return got.has_value();
  };
  if (!reserve(options_.budget, place.part.length, call->lease.own) ||
      !reserve(options_.common, place.part.length, call->lease.common) ||
      !reserve(options_.requests, 1, call->request)) {
    Finish(item.tag, Cancelled().WithUri(call->uri));
    return;
  }
  call->start = Clock::Real().Now();
  GetRequest request = PinnedGet(place.part, place.pin);
  request.stop = stop;
  auto sink = std::make_shared<BufferSink>(place.part.length, options_);
  const auto finish = [this, call, sink, tag = item.tag, pin = place.pin](Result<ObjectInfo> result) {
    call->request.Release();
    if (!result) {
      call->lease.Release();
      Finish(tag, ExplainPin(result.error().WithUri(call->uri), pin));
      return;
    }
    Fetched fetched{
        .lease = std::move(call->lease), .bytes = sink->Take(), .wall = Clock::Real().Now() - call->start};
    Finish(tag, std::move(fetched));
  };
  place.store->Get(std::move(request), sink, finish);
}

void Fetcher::Finish(uint64_t tag, Result<Fetched> result) {
  deliver_(tag, std::move(result));
  std::lock_guard lock(mutex_);
  --in_flight_;
  idle_.notify_all();  // under the lock: once it is released, Stop may return and the fetcher may be gone
}

}  // namespace bucketline
