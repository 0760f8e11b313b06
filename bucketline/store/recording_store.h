// RecordingStore: remembers what was asked of a store, and how much of it at once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bucketline/store/store_call.h"

namespace bucketline {

// A decorator for tests; thread-safe.
class RecordingStore : public ObjectStore {
 public:
  explicit RecordingStore(std::shared_ptr<ObjectStore> inner) : inner_(std::move(inner)) {}
  ~RecordingStore() override { tracker_.CancelAndWait(); }

  void List(ListRequest request, std::function<void(Result<ListPage>)> done) override;
  void Get(GetRequest request, std::shared_ptr<GetSink> sink,
           std::function<void(Result<ObjectInfo>)> done) override;
  void Head(std::string key, std::function<void(Result<ObjectInfo>)> done) override;
  void Delete(std::string key, std::function<void(Result<void>)> done) override;
  std::unique_ptr<ObjectWriter> OpenWriter(std::string key, WriteCondition condition = {}) override;
  std::optional<uint64_t> joinable_gap() const override { return inner_->joinable_gap(); }
  std::string UriOf(std::string_view key) const override { return inner_->UriOf(key); }

  std::vector<StoreCall> calls() const;  // in the order in which they began; commits are not among them
  size_t CountOf(StoreOp op) const;
  size_t in_flight() const;      // asynchronous calls begun and not completed
  size_t max_in_flight() const;  // the most at any time
  void Forget();                 // forgets the calls and the maximum

  // Waits until `count` calls are in flight at once; false when the deadline passes first.
  bool WaitForInFlight(size_t count, std::chrono::milliseconds deadline) const;

 private:
  void Note(StoreCall call);
  template <typename T>
  std::function<void(Result<T>)> Began(StoreCall call, std::stop_token* stop,
                                       std::function<void(Result<T>)> done);

  const std::shared_ptr<ObjectStore> inner_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<StoreCall> calls_;
  size_t in_flight_ = 0;
  size_t max_in_flight_ = 0;
  CallTracker tracker_;
};

}  // namespace bucketline
