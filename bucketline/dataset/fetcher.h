// Fetcher: reads ranges of objects in the order of need, within a budget of bytes and of requests.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "bucketline/base/bytes.h"
#include "bucketline/base/clock.h"
#include "bucketline/base/result.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/exec/buffer_pool.h"
#include "bucketline/exec/memory_budget.h"

namespace bucketline {

// What a fetch holds of the budgets. The common share is returned first: whoever finds room in the own budget
// finds it in the common one too, when that is the sum of its users' shares.
struct Lease {
  Reservation own;
  Reservation common;  // declared after it, so destroyed first
  std::shared_ptr<const Lease> shared =
      {};  // with neighbours: of what was read for all, returned by the last of them

  uint64_t bytes() const { return own.bytes(); }
  void Release() {
    shared.reset();
    common.Release();
    own.Release();
  }
};

// A part, and neighbours of it that one Get reads with it: of the same store, object, version and pin, none of
// which overlap. Each is delivered by itself.
struct FetchItem {
  struct Neighbour {
    uint64_t tag = 0;
    RecordPart part;
  };

  uint64_t tag = 0;  // the caller's
  PartPlace place;   // its store outlives the fetcher
  bool keep = true;  // GetRequest::keep
  std::vector<Neighbour> neighbours = {};
};

struct Fetched {
  Lease lease;  // destroyed after the bytes
  Bytes bytes;
  std::string etag;                 // of the object that they are from
  std::optional<uint32_t> crc32c;   // that they should have; not looked at here
  Duration wall{0};                 // from the reservation to the last byte
  std::optional<bool> cached = {};  // by GetSink::NoteCache; absent: no cache may have them
};

// The budgets outlive every lease, hence every Fetched that was delivered.
struct FetcherOptions {
  MemoryBudget* budget = nullptr;    // bytes of records between their request and the release of their lease
  MemoryBudget* common = nullptr;    // reserved after `budget`, always in this order; nullptr: none
  MemoryBudget* requests = nullptr;  // one unit per Get in flight; may be shared by several fetchers
  std::shared_ptr<BufferPool> buffers = nullptr;  // where memory goes round; nullptr: a pool of its own
};

// One thread asks `next` for items and issues them in that order (items next to each other may change places): it reserves
// `budget` (waiting its turn), then `common`, then a request, and starts the Get, whose bytes go straight into
// memory of that length, which goes round. While there is no request to be had it gets some items ready: whoever
// ends a Get then starts the next one, and no thread is woken for it. Neighbours share the memory of the range that
// holds them all, which their item reserves whole. When the bytes of that range cannot be had (its object was cut off,
// say), each is asked for alone, so that those which are whole are delivered.
//
// Deadlock: the thread waits only for returned leases and ended requests. Items are ready only while Gets of this
// fetcher run, so somebody always starts them. Requests end by themselves (stores have deadlines). Leases are the
// caller's: whoever holds one must be able to finish without waiting for a later item. With a `common` budget that
// others share, the same holds for them: never wait for anything else while holding it.
class Fetcher {
 public:
  // On the fetcher's thread. May wait, until the token stops it; nullopt ends the fetching. Must not throw.
  using Next = std::function<std::optional<FetchItem>(std::stop_token stop)>;
  // Exactly once for each tag, also at Stop (kCancelled): on a thread of the store, or on the fetcher's when
  // no request was made. In order of completion. Must be short and must not throw. Errors: what the store
  // says; kObjectChanged when the object is not what was listed; kResourceExhausted when the part can never
  // fit.
  using Deliver = std::function<void(uint64_t tag, Result<Fetched> result)>;

  Fetcher(const FetcherOptions& options, Next next, Deliver deliver);
  ~Fetcher();  // Stop()
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  // Cancels what runs and returns when every item has been delivered. Idempotent. Not to be called from a
  // callback.
  void Stop();

 private:
  struct Call;
  class BufferSink;

  void Run();
  void Issue(FetchItem item);
  bool Reserve(Call& call);
  void StartReady();
  bool AwaitRoom();
  void CancelReady();
  void Start(std::shared_ptr<Call> call);
  void Ask(const std::shared_ptr<Call>& call);
  std::shared_ptr<Call> Answered(const std::shared_ptr<Call>& call, const Result<ObjectInfo>& got,
                                 BufferSink& sink);
  std::shared_ptr<Call> PassOn(Call& call);
  void Give(Call& call, size_t end, const ObjectInfo& object, BufferSink& sink);
  void FailPieces(Call& call, size_t end, const Error& error);
  void FailCall(Call& call, const Error& error);
  void Finish();

  const FetcherOptions options_;
  const Next next_;
  const Deliver deliver_;
  std::stop_source stop_;
  const std::shared_ptr<BufferPool> buffers_;
  const size_t most_ready_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable idle_;
  std::condition_variable ready_taken_;
  size_t in_flight_ = 0;                     // items given by next_ and not yet delivered
  size_t running_ = 0;                       // of them, those that hold a request
  std::deque<std::shared_ptr<Call>> ready_;  // lack only a request; none while none is running
  std::mutex join_mutex_;
  std::thread thread_;
};

}  // namespace bucketline
