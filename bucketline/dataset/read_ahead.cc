#include "bucketline/dataset/read_ahead.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {

// Memory for pieces, used again: fresh pages cost more than the copy into them. Lives as long as any piece of it.
class ReadAhead::Buffers : public std::enable_shared_from_this<Buffers> {
 public:
  explicit Buffers(uint64_t size) : size_(size) {}

  std::shared_ptr<uint8_t[]> Take() {
    std::unique_ptr<uint8_t[]> memory;
    {
      std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        memory = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (memory == nullptr) memory.reset(new uint8_t[size_]);  // not zeroed on purpose
    return {memory.release(), [self = shared_from_this()](uint8_t* used) { self->Return(used); }};
  }

 private:
  void Return(uint8_t* used) {
    std::unique_ptr<uint8_t[]> memory(used);
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(memory));
  }

  const uint64_t size_;
  std::mutex mutex_;  // guards idle_
  std::vector<std::unique_ptr<uint8_t[]>> idle_;
};

class ReadAhead::Piece : public GetSink {
 public:
  Piece(uint64_t length, std::shared_ptr<Buffers> buffers, Reservation unit)
      : unit_(std::move(unit)), length_(length), buffers_(std::move(buffers)) {}

  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo& object) override {
    if (size != length_) {
      return Error(ErrorCode::kObjectChanged,
                   fmt::format("{} bytes were expected, the store has {} of an object of {}", length_, size,
                               object.size));
    }
    if (memory_ == nullptr) memory_ = buffers_->Take();
    return std::span<uint8_t>(memory_.get(), length_);
  }

  void Done(Result<ObjectInfo> result) {
    std::lock_guard lock(mutex_);
    result_.emplace(std::move(result));
    done_.notify_all();
  }

  const Result<ObjectInfo>& Wait() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return result_.has_value(); });
    return *result_;
  }

  // By the reader's thread, when nobody writes to the memory any more.
  void ReleaseUnit() { unit_.Release(); }
  Bytes Take() {
    const uint8_t* data = memory_.get();
    return Bytes(std::move(memory_), data, length_);
  }

 private:
  Reservation unit_;
  const uint64_t length_;
  const std::shared_ptr<Buffers> buffers_;
  std::shared_ptr<uint8_t[]> memory_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::optional<Result<ObjectInfo>> result_;
};

ReadAhead::ReadAhead(ObjectStore& store, GetRequest request, uint64_t length, uint64_t piece,
                     MemoryBudget* spare)
    : store_(store),
      request_(std::move(request)),
      end_(request_.offset + length),
      piece_(std::max<uint64_t>(piece, 1)),
      spare_(spare),
      stop_(request_.stop, over_.get_token()),
      next_(request_.offset),
      buffers_(std::make_shared<Buffers>(std::min(piece_, length))) {}

ReadAhead::~ReadAhead() {
  over_.request_stop();
  for (const auto& piece : pieces_) {
    (void)piece->Wait();
    piece->ReleaseUnit();
  }
}

void ReadAhead::Ask() {
  while (next_ < end_) {
    Reservation unit;
    if (!pieces_.empty()) {
      std::optional<Reservation> got = spare_->TryAcquire(1);
      if (!got) return;
      unit = *std::move(got);
    }
    const uint64_t length = std::min(piece_, end_ - next_);
    GetRequest request = request_;
    request.stop = stop_.token();
    const bool all = next_ == request_.offset && length == end_ - request_.offset;
    if (!all) {  // what is asked for at once is asked for as the caller did
      request.offset = next_;
      request.length = length;
    }
    next_ += length;
    auto piece = std::make_shared<Piece>(length, buffers_, std::move(unit));
    pieces_.push_back(piece);
    store_.Get(std::move(request), piece,
               [piece](Result<ObjectInfo> result) { piece->Done(std::move(result)); });
  }
}

std::optional<Bytes> ReadAhead::Next() {
  Ask();
  if (pieces_.empty()) return std::nullopt;
  const std::shared_ptr<Piece> piece = pieces_.front();
  const Result<ObjectInfo>& result = piece->Wait();
  pieces_.pop_front();
  piece->ReleaseUnit();
  if (!result) throw result.error();
  if (etag_.value_or(result->etag) != result->etag) {
    throw Error(ErrorCode::kObjectChanged, "the object changed while it was read; list again",
                store_.UriOf(request_.key));
  }
  etag_ = result->etag;
  return piece->Take();
}

}  // namespace bucketline
