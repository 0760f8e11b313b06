// ReadAhead: the pieces of one range of an object in order, several of them asked for at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "bucketline/base/bytes.h"
#include "bucketline/exec/buffer_pool.h"
#include "bucketline/exec/memory_budget.h"
#include "bucketline/store/linked_stop.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// For one thread, which may wait. All pieces are of the same state of the object, whatever is pinned. The store and the
// budget outlive it.
class ReadAhead {
 public:
  // Reads `length` bytes, not 0, from request.offset on. One piece is always asked for or held; each one beyond takes a unit
  // of `spare`, where there is one, from its request until Next has given it. Their memory goes round in `buffers`.
  ReadAhead(ObjectStore& store, GetRequest request, uint64_t length, uint64_t piece, MemoryBudget* spare,
            std::shared_ptr<BufferPool> buffers);
  ~ReadAhead();  // stops what runs, and waits for it
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // nullopt after the last one. Throws what the store says; kObjectChanged when a piece is of another state.
  std::optional<Bytes> Next();

 private:
  class Piece;

  void Ask();
  uint64_t NextLength() const;

  ObjectStore& store_;
  const GetRequest request_;
  const uint64_t end_;
  const uint64_t piece_;
  MemoryBudget* const spare_;
  std::stop_source over_;
  LinkedStop stop_;
  uint64_t next_;       // offset of the next piece to ask for
  uint64_t asked_ = 0;  // pieces so far
  const std::shared_ptr<BufferPool> buffers_;
  std::deque<std::shared_ptr<Piece>> pieces_;
  std::optional<std::string> etag_;
};

}  // namespace bucketline
