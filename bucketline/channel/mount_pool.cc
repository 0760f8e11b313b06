#include "bucketline/channel/mount_pool.h"

#include <algorithm>
#include <condition_variable>
#include <vector>

#include <fmt/format.h>

#include "bucketline/dataset/pinning.h"

namespace bucketline {
namespace {

// A piece that nobody wanted while others were taken from this often belongs to a reader that went elsewhere.
constexpr uint64_t kStaleTakes = 1000;

}  // namespace

class MountPool::Piece : public GetSink {
 public:
  Piece(MountRange where, std::shared_ptr<MemoryBudget> budget, Reservation room,
        std::shared_ptr<BufferPool> buffers, uint64_t now)
      : range(where),
        used(now),
        budget_(std::move(budget)),
        room_(std::move(room)),
        buffers_(std::move(buffers)) {}

  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo&) override {
    if (size != range.length) {
      return Error(ErrorCode::kObjectChanged,
                   fmt::format("{} bytes were expected, the store has {}", range.length, size));
    }
    if (memory_ == nullptr) memory_ = buffers_->Take(size);
    return std::span<uint8_t>(memory_.get(), size);
  }

  // Bytes that keep the piece, and so its room. Only once it is here.
  static Bytes Slice(const std::shared_ptr<Piece>& piece, uint64_t offset, uint64_t length) {
    return Bytes(piece, piece->memory_.get() + (offset - piece->range.offset), length);
  }

  const MountRange range;
  const SteadyTime asked = Clock::Real().Now();
  // Under the pool's mutex.
  enum class State { kRunning, kHere, kFailed } state = State::kRunning;
  std::condition_variable_any changed;
  uint64_t used;       // the pool's takes when it was last of use
  uint64_t taken = 0;  // bytes so far

 private:
  const std::shared_ptr<MemoryBudget> budget_;
  Reservation room_;  // declared before the memory that it is for
  const std::shared_ptr<BufferPool> buffers_;
  std::shared_ptr<uint8_t[]> memory_;
};

MountPool::MountPool(uint64_t capacity)
    : budget_(std::make_shared<MemoryBudget>(capacity)),
      buffers_(std::make_shared<BufferPool>(capacity / 8)) {}

MountPool::~MountPool() {
  stop_.request_stop();
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [&] { return running_ == 0; });
}

MountPool::Pieces::const_iterator MountPool::FindLocked(uint64_t record, uint64_t offset) const {
  const auto after = pieces_.upper_bound({record, offset});
  if (after == pieces_.begin()) return pieces_.end();
  const auto found = std::prev(after);
  return found->first.first == record && offset < found->second->range.end() ? found : pieces_.end();
}

void MountPool::DropStaleLocked() {
  if (takes_ - swept_ < kStaleTakes / 2) return;
  swept_ = takes_;
  std::erase_if(pieces_, [&](const auto& entry) {
    return entry.second->state == Piece::State::kHere && takes_ - entry.second->used >= kStaleTakes;
  });
}

std::optional<Reservation> MountPool::RoomLocked(uint64_t bytes) {
  if (bytes > capacity()) return std::nullopt;
  if (std::optional<Reservation> room = budget_->TryAcquire(bytes)) return room;
  DropStaleLocked();
  return budget_->TryAcquire(bytes);
}

bool MountPool::Ask(uint64_t record, const PartPlace& place, MountRange range) {
  const Place key(record, range.offset);
  std::shared_ptr<Piece> piece;
  {
    std::lock_guard lock(mutex_);
    if (FindLocked(record, range.offset) != pieces_.end()) return true;
    std::optional<Reservation> room = RoomLocked(range.length);
    if (!room) return false;
    piece = std::make_shared<Piece>(range, budget_, *std::move(room), buffers_, takes_);
    pieces_.emplace(key, piece);
    ++running_;
  }
  GetRequest request = PinnedGet(place.part, place.pin, range.offset, range.length);
  request.stop = stop_.get_token();
  place.store->Get(std::move(request), piece,
                   [this, piece, key](const Result<ObjectInfo>& result) { Done(piece, key, result); });
  return true;
}

void MountPool::Done(const std::shared_ptr<Piece>& piece, Place place, const Result<ObjectInfo>& result) {
  std::lock_guard lock(mutex_);
  piece->state = result ? Piece::State::kHere : Piece::State::kFailed;
  if (result) {
    latency_.Add(Clock::Real().Now() - piece->asked);
  } else {
    if (const auto found = pieces_.find(place); found != pieces_.end() && found->second == piece) {
      pieces_.erase(found);
    }
  }
  piece->changed.notify_all();
  if (--running_ == 0) idle_.notify_all();
}

std::optional<Bytes> MountPool::Take(uint64_t record, uint64_t offset, uint64_t length,
                                     const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto found = FindLocked(record, offset);
  if (found == pieces_.end()) return std::nullopt;
  const std::shared_ptr<Piece> piece = found->second;
  if (!piece->changed.wait(lock, stop, [&] { return piece->state != Piece::State::kRunning; })) {
    return std::nullopt;
  }
  if (piece->state == Piece::State::kFailed) return std::nullopt;
  const uint64_t given = std::min(length, piece->range.end() - offset);
  piece->used = ++takes_;
  piece->taken += given;
  if (piece->taken >= piece->range.length) {
    const auto now = pieces_.find({record, piece->range.offset});
    if (now != pieces_.end() && now->second == piece) pieces_.erase(now);
  }
  return Piece::Slice(piece, offset, given);
}

std::optional<uint64_t> MountPool::NextPiece(uint64_t record, uint64_t offset) const {
  std::lock_guard lock(mutex_);
  const auto after = pieces_.upper_bound({record, offset});
  if (after == pieces_.end() || after->first.first != record) return std::nullopt;
  return after->first.second;
}

Duration MountPool::least_latency() const {
  std::lock_guard lock(mutex_);
  return latency_.get();
}

void MountPool::Drop(uint64_t record, uint64_t below) {
  std::lock_guard lock(mutex_);
  auto piece = pieces_.lower_bound({record, 0});
  while (piece != pieces_.end() && piece->first.first == record && piece->second->range.end() <= below) {
    piece = pieces_.erase(piece);
  }
}

}  // namespace bucketline
