#include "bucketline/store/recording_store.h"

#include <algorithm>

namespace bucketline {

void RecordingStore::Note(StoreCall call) {
  std::lock_guard lock(mutex_);
  calls_.push_back(std::move(call));
}

template <typename T>
std::function<void(Result<T>)> RecordingStore::Began(StoreCall call, std::stop_token* stop,
                                                     std::function<void(Result<T>)> done) {
  {
    std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
    max_in_flight_ = std::max(max_in_flight_, ++in_flight_);
    changed_.notify_all();
  }
  return PassOn<T>(tracker_, stop, [this, done = std::move(done)](Result<T> result) {
    {
      std::lock_guard lock(mutex_);
      --in_flight_;
    }
    done(std::move(result));
  });
}

void RecordingStore::List(ListRequest request, std::function<void(Result<ListPage>)> done) {
  auto ended = Began<ListPage>(CallOf(request), &request.stop, std::move(done));
  inner_->List(std::move(request), std::move(ended));
}

void RecordingStore::Get(GetRequest request, std::shared_ptr<GetSink> sink,
                         std::function<void(Result<ObjectInfo>)> done) {
  auto ended = Began<ObjectInfo>(CallOf(request), &request.stop, std::move(done));
  inner_->Get(std::move(request), std::move(sink), std::move(ended));
}

void RecordingStore::Head(std::string key, std::function<void(Result<ObjectInfo>)> done) {
  auto ended = Began<ObjectInfo>(CallOf(StoreOp::kHead, key), nullptr, std::move(done));
  inner_->Head(std::move(key), std::move(ended));
}

void RecordingStore::Delete(std::string key, std::function<void(Result<void>)> done) {
  auto ended = Began<void>(CallOf(StoreOp::kDelete, key), nullptr, std::move(done));
  inner_->Delete(std::move(key), std::move(ended));
}

std::unique_ptr<ObjectWriter> RecordingStore::OpenWriter(std::string key, WriteCondition condition) {
  Note(CallOf(StoreOp::kOpenWriter, key));
  return inner_->OpenWriter(std::move(key), std::move(condition));
}

std::vector<StoreCall> RecordingStore::calls() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

size_t RecordingStore::CountOf(StoreOp op) const {
  std::lock_guard lock(mutex_);
  return static_cast<size_t>(
      std::count_if(calls_.begin(), calls_.end(), [op](const StoreCall& call) { return call.op == op; }));
}

size_t RecordingStore::in_flight() const {
  std::lock_guard lock(mutex_);
  return in_flight_;
}

size_t RecordingStore::max_in_flight() const {
  std::lock_guard lock(mutex_);
  return max_in_flight_;
}

void RecordingStore::Forget() {
  std::lock_guard lock(mutex_);
  calls_.clear();
  max_in_flight_ = in_flight_;
}

bool RecordingStore::WaitForInFlight(size_t count, std::chrono::milliseconds deadline) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, deadline, [&] { return in_flight_ >= count; });
}

}  // namespace bucketline
