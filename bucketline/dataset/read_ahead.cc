#include "bucketline/dataset/read_ahead.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

// The first pieces of what is much longer grow: pieces of one size would begin and end together for ever, and nothing
// would be under way between the rounds. They make up half a round, so that those after them begin at multiples again.
constexpr uint64_t kFirstRound = 16;

}  // namespace

class ReadAhead::Piece : public GetSink {
 public:
  Piece(uint64_t length, uint64_t room, std::shared_ptr<BufferPool> buffers, Reservation unit)
      : unit_(std::move(unit)), length_(length), room_(room), buffers_(std::move(buffers)) {}

  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo& object) override {
    if (size != length_) {
      return Error(ErrorCode::kObjectChanged,
                   fmt::format("{} bytes were expected, the store has {} of an object of {}", length_, size,
                               object.size));
    }
    if (memory_ == nullptr) memory_ = buffers_->Take(room_);
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
  const uint64_t room_;  // of its memory, the same for all, so that it goes round
  const std::shared_ptr<BufferPool> buffers_;
  std::shared_ptr<uint8_t[]> memory_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::optional<Result<ObjectInfo>> result_;
};

ReadAhead::ReadAhead(ObjectStore& store, GetRequest request, uint64_t length, uint64_t piece,
                     MemoryBudget* spare, std::shared_ptr<BufferPool> buffers)
    : store_(store),
      request_(std::move(request)),
      end_(request_.offset + length),
      piece_(std::max<uint64_t>(piece, 1)),
      spare_(spare),
      stop_(request_.stop, over_.get_token()),
      next_(request_.offset),
      buffers_(std::move(buffers)) {}

ReadAhead::~ReadAhead() {
  over_.request_stop();
  for (const auto& piece : pieces_) {
    (void)piece->Wait();
    piece->ReleaseUnit();
  }
}

uint64_t ReadAhead::NextLength() const {
  const bool grows = asked_ < kFirstRound && end_ - request_.offset >= 2 * kFirstRound * piece_;
  return grows ? std::max<uint64_t>(piece_ * (2 * asked_ + 1) / (2 * kFirstRound), 1) : piece_;
}

void ReadAhead::Ask() {
  while (next_ < end_) {
    Reservation unit;
    if (!pieces_.empty()) {
      std::optional<Reservation> got = spare_->TryAcquire(1);
      if (!got) return;
      unit = *std::move(got);
    }
    const uint64_t length = std::min(NextLength(), end_ - next_);
    ++asked_;
    GetRequest request = request_;
    request.stop = stop_.token();
    const bool all = next_ == request_.offset && length == end_ - request_.offset;
    if (!all) {  // what is asked for at once is asked for as the caller did
      request.offset = next_;
      request.length = length;
    }
    next_ += length;
    auto piece =
        std::make_shared<Piece>(length, std::min(piece_, end_ - request_.offset), buffers_, std::move(unit));
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
