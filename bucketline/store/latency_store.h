// LatencyStore: a store that answers late, as one across a network does.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bucketline/base/clock.h"
#include "bucketline/exec/timer.h"
#include "bucketline/store/store_call.h"
#include "bucketline/store/store_threads.h"

namespace bucketline {

// How long the completion of a call is held back. Must be thread-safe; `bytes` is what a Get delivered, else
// 0.
using LatencyModel = std::function<Duration(const StoreCall& call, uint64_t bytes)>;

// `first_byte` for every call, and the time that its bytes take at `bytes_per_second` (0: none).
LatencyModel FixedLatency(Duration first_byte, double bytes_per_second = 0);

// A decorator for tests; thread-safe. Any number of calls wait at once. A stop ends the waiting with
// kCancelled; a failure is late too. Writers are not delayed: they block, so their users measure the inner
// store.
class LatencyStore : public ObjectStore {
 public:
  LatencyStore(std::shared_ptr<ObjectStore> inner, LatencyModel model);

  void List(ListRequest request, std::function<void(Result<ListPage>)> done) override;
  void Get(GetRequest request, std::shared_ptr<GetSink> sink,
           std::function<void(Result<ObjectInfo>)> done) override;
  void Head(std::string key, std::function<void(Result<ObjectInfo>)> done) override;
  void Delete(std::string key, std::function<void(Result<void>)> done) override;
  std::unique_ptr<ObjectWriter> OpenWriter(std::string key, WriteCondition condition = {}) override;
  std::optional<uint64_t> joinable_gap() const override { return inner_->joinable_gap(); }
  std::string UriOf(std::string_view key) const override { return inner_->UriOf(key); }

 private:
  template <typename T>
  std::function<void(Result<T>)> Late(StoreCall call, std::stop_token* stop,
                                      std::function<void(Result<T>)> done);

  const std::shared_ptr<ObjectStore> inner_;
  const LatencyModel model_;
  Timer timer_;
  StoreThreads threads_{1, "bl-latency"};  // last: its work uses the rest
};

}  // namespace bucketline
