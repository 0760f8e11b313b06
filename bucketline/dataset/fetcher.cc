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

RecordPart RangeOf(const std::vector<FetchItem::Neighbour>& pieces) {
  RecordPart range = pieces.front().part;
  uint64_t end = range.offset + range.length;
  for (const auto& [tag, part] : pieces) {
    range.offset = std::min(range.offset, part.offset);
    end = std::max(end, part.offset + part.length);
  }
  range.length = end - range.offset;
  return range;
}

// What a part of the range may be free of.
bool ConcernsTheRange(ErrorCode code) {
  return code == ErrorCode::kInvalidArgument || code == ErrorCode::kObjectChanged ||
         code == ErrorCode::kCorruptData;
}

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
  std::vector<FetchItem::Neighbour> pieces;  // the item's own part first
  std::optional<RecordPart> together;  // the range that holds all pieces, while they are asked for as one
  size_t at = 0;                       // else: the piece that is asked for
  ObjectStore* store = nullptr;        // not shared: no thread of a store may be the last to let go of it
  PinMode pin = PinMode::kEtag;
  bool keep = true;
  Lease lease;
  Reservation request;
  SteadyTime start;

  const RecordPart& asked() const { return together ? *together : pieces[at].part; }
  Lease LeaseOfAPiece() {
    if (lease.shared != nullptr) return {.own = {}, .common = {}, .shared = lease.shared};
    return std::move(lease);
  }
};

Fetcher::Fetcher(const FetcherOptions& options, Next next, Deliver deliver)
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
    Issue(*std::move(item));
  }
}

void Fetcher::Issue(FetchItem item) {
  auto call = std::make_shared<Call>();
  call->store = item.place.store.get();
  call->pin = item.place.pin;
  call->keep = item.keep;
  call->pieces = std::move(item.neighbours);
  call->pieces.insert(call->pieces.begin(), {.tag = item.tag, .part = std::move(item.place.part)});
  if (call->pieces.size() > 1) call->together = RangeOf(call->pieces);
  const Result<bool> reserved = Catch([&] { return Reserve(*call); });
  if (!reserved || !*reserved) {
    return FailCall(*call, reserved ? Cancelled() : reserved.error());
  }
  {
    std::lock_guard lock(mutex_);
    ready_.push_back(std::move(call));
  }
  StartReady();
}

// False when it was stopped.
bool Fetcher::Reserve(Call& call) {
  const uint64_t bytes = call.asked().length;
  for (const auto& [budget, share] :
       {std::pair{options_.budget, &call.lease.own}, {options_.common, &call.lease.common}}) {
    if (budget == nullptr) continue;
    std::optional<Reservation> got = budget->Acquire(bytes, stop_.get_token());
    if (!got) return false;
    *share = *std::move(got);
  }
  if (call.together)
    call.lease = {.own = {}, .common = {}, .shared = std::make_shared<Lease>(std::move(call.lease))};
  return true;
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
  for (const auto& call : dropped) FailCall(*call, Cancelled());
}

void Fetcher::Start(std::shared_ptr<Call> call) {
  while (call != nullptr) {
    const Result<void> asked = Catch([&] { Ask(call); });
    if (asked) return;
    std::shared_ptr<Call> next = PassOn(*call);
    FailCall(*call, asked.error());
    call = std::move(next);
  }
}

void Fetcher::Ask(const std::shared_ptr<Call>& call) {
  call->start = Clock::Real().Now();
  GetRequest request = PinnedGet(call->asked(), call->pin);
  request.keep = call->keep;
  request.stop = stop_.get_token();
  auto sink = std::make_shared<BufferSink>(call->asked().length, options_, buffers_);
  call->store->Get(std::move(request), sink, [this, call, sink](const Result<ObjectInfo>& got) {
    if (auto next = Answered(call, got, *sink)) Start(std::move(next));
  });
}

// Delivers what has come. Gives what is to be asked for next; without it, the fetcher may be gone.
std::shared_ptr<Fetcher::Call> Fetcher::Answered(const std::shared_ptr<Call>& call,
                                                 const Result<ObjectInfo>& got, BufferSink& sink) {
  if (!got && call->together && ConcernsTheRange(got.error().code())) {
    call->together.reset();
    return call;
  }
  const size_t end = call->together ? call->pieces.size() : call->at + 1;
  const bool over = end == call->pieces.size();
  std::shared_ptr<Call> next = over ? PassOn(*call) : call;
  if (got) {
    Give(*call, end, *got, sink);
  } else {
    if (over) call->lease.Release();
    FailPieces(*call, end, got.error());
  }
  if (!over) return next;
  call->lease.Release();
  Finish();
  return next;
}

void Fetcher::Give(Call& call, size_t end, const ObjectInfo& object, BufferSink& sink) {
  const Bytes bytes = sink.Take();
  const Duration wall = Clock::Real().Now() - call.start;
  const uint64_t begin = call.asked().offset;
  for (; call.at < end; ++call.at) {
    const auto& [tag, part] = call.pieces[call.at];
    deliver_(tag, Fetched{.lease = call.LeaseOfAPiece(),
                          .bytes = bytes.Slice(part.offset - begin, part.length),
                          .etag = object.etag,
                          .crc32c = part.crc32c,
                          .wall = wall,
                          .cached = sink.cached()});
  }
}

void Fetcher::FailPieces(Call& call, size_t end, const Error& error) {
  for (; call.at < end; ++call.at) {
    const auto& [tag, part] = call.pieces[call.at];
    deliver_(tag, ExplainPin(error.WithUri(UriOfPart(*call.store, part)), call.pin));
  }
}

void Fetcher::FailCall(Call& call, const Error& error) {
  call.lease.Release();
  FailPieces(call, call.pieces.size(), error);
  Finish();
}

void Fetcher::Finish() {
  std::lock_guard lock(mutex_);
  --in_flight_;
  idle_.notify_all();  // under the lock: once it is released, Stop may return and the fetcher may be gone
}

// Gives the request of a call that has ended to the one that is ready, which is returned.
std::shared_ptr<Fetcher::Call> Fetcher::PassOn(Call& call) {
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
  return next;
}

}  // namespace bucketline
