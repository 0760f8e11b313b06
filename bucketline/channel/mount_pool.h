// MountPool: pieces of objects that were asked for before anybody needed them, within a number of bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "bucketline/base/bytes.h"
#include "bucketline/channel/mount_pace.h"
#include "bucketline/channel/mount_read_plan.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/exec/buffer_pool.h"
#include "bucketline/exec/memory_budget.h"

namespace bucketline {

// Thread-safe. A piece goes when all of it was taken (the kernel keeps what it was given), when it is dropped, or, to make
// room, when it was of no use for long.
class MountPool {
 public:
  // At most `capacity` bytes of pieces, and 1/8 of it in buffers that are used again.
  explicit MountPool(uint64_t capacity);
  ~MountPool();  // stops what runs, and waits for it
  MountPool(const MountPool&) = delete;
  MountPool& operator=(const MountPool&) = delete;

  // Asks the store for this range of the record at `place`, unless its first byte is here already. False when there is no
  // room for it. Never waits.
  bool Ask(uint64_t record, const PartPlace& place, MountRange range);

  // From `offset` on what one piece has, at most `length` bytes; waits while it is under way. nullopt when no piece has
  // the byte at `offset`, when the piece failed (reading it anew tells why), and when stopped.
  std::optional<Bytes> Take(uint64_t record, uint64_t offset, uint64_t length, const std::stop_token& stop);

  // Where the first piece of the record beyond `offset` begins.
  std::optional<uint64_t> NextPiece(uint64_t record, uint64_t offset) const;

  // Drops the record's pieces that end at `below` or before it.
  void Drop(uint64_t record, uint64_t below);

  uint64_t capacity() const { return budget_->capacity(); }
  uint64_t used() const { return budget_->used(); }
  Duration least_latency() const;  // of a piece, from its request to its last byte; 0 before the first

 private:
  class Piece;
  using Place = std::pair<uint64_t, uint64_t>;  // record, offset
  using Pieces = std::map<Place, std::shared_ptr<Piece>>;

  Pieces::const_iterator FindLocked(uint64_t record, uint64_t offset) const;
  std::optional<Reservation> RoomLocked(uint64_t bytes);
  void DropStaleLocked();
  void Done(const std::shared_ptr<Piece>& piece, Place place, const Result<ObjectInfo>& result);

  const std::shared_ptr<MemoryBudget> budget_;  // of its pieces too: a store may keep one a little longer
  const std::shared_ptr<BufferPool> buffers_;
  std::stop_source stop_;
  mutable std::mutex mutex_;  // guards what follows, and what pieces say of their state
  std::condition_variable idle_;
  Pieces pieces_;
  size_t running_ = 0;
  LeastLatency latency_;
  uint64_t takes_ = 0;
  uint64_t swept_ = 0;  // takes_ when stale pieces were last looked for
};

}  // namespace bucketline
