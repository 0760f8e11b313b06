// What tests of stores share: payloads that show any misplaced byte, a sink that remembers, completions to
// wait for.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bucketline/base/random.h"
#include "bucketline/store/object_store.h"
#include "bucketline/store/recording_store.h"

namespace bucketline::testing {

// Every aligned group of eight bytes is different, so that a lost, doubled or moved byte never goes unseen.
inline std::vector<uint8_t> RampBytes(size_t size, uint64_t seed = 0) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(Mix64(seed + i / 8 + 1) >> (8 * (i % 8)));
  return bytes;
}

// Thread-safe. Counts the calls of one `done` and lets a test wait for the first, with a deadline.
template <typename T>
class Completion {
 public:
  std::function<void(Result<T>)> Done() {
    return [state = state_](Result<T> result) {
      std::lock_guard lock(state->mutex);
      ++state->calls;
      state->thread = std::this_thread::get_id();
      if (!state->result) state->result.emplace(std::move(result));
      state->wake.notify_all();
    };
  }

  // False when nothing came in time.
  bool WaitFor(std::chrono::milliseconds deadline = std::chrono::seconds(120)) const {
    std::unique_lock lock(state_->mutex);
    return state_->wake.wait_for(lock, deadline, [&] { return state_->result.has_value(); });
  }

  // The first result; kTimeout when nothing came in time.
  Result<T> Wait(std::chrono::milliseconds deadline = std::chrono::seconds(120)) const {
    if (!WaitFor(deadline)) return Error(ErrorCode::kTimeout, "the call was not completed in time");
    std::lock_guard lock(state_->mutex);
    return *state_->result;
  }

  int calls() const {
    std::lock_guard lock(state_->mutex);
    return state_->calls;
  }
  std::thread::id thread() const {
    std::lock_guard lock(state_->mutex);
    return state_->thread;
  }

 private:
  struct State {
    mutable std::mutex mutex;
    std::condition_variable wake;
    int calls = 0;
    std::thread::id thread;
    std::optional<Result<T>> result;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

// Gives memory and remembers what Begin was told. `refusal`, when set, is what Begin answers.
class VectorSink : public GetSink {
 public:
  explicit VectorSink(std::optional<Error> refusal = std::nullopt) : refusal_(std::move(refusal)) {}

  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo& object) override {
    ++begins_;
    size_ = size;
    object_ = object;
    if (refusal_) return *refusal_;
    bytes_.resize(size);
    return std::span<uint8_t>(bytes_);
  }

  // To be read once the Get is done.
  const std::vector<uint8_t>& bytes() const { return bytes_; }
  int begins() const { return begins_; }
  uint64_t begun_size() const { return size_; }
  const ObjectInfo& begun_object() const { return object_; }

 private:
  const std::optional<Error> refusal_;
  std::vector<uint8_t> bytes_;
  int begins_ = 0;
  uint64_t size_ = 0;
  ObjectInfo object_;
};

inline GetRequest Whole(std::string key) {
  GetRequest request;
  request.key = std::move(key);
  return request;
}

inline GetRequest Range(std::string key, uint64_t offset, std::optional<uint64_t> length) {
  GetRequest request = Whole(std::move(key));
  request.offset = offset;
  request.length = length;
  return request;
}

// A store whose neighbouring ranges are best read as one.
class JoiningStore : public RecordingStore {
 public:
  JoiningStore(std::shared_ptr<ObjectStore> inner, uint64_t gap)
      : RecordingStore(std::move(inner)), gap_(gap) {}
  std::optional<uint64_t> joinable_gap() const override { return gap_; }

 private:
  const uint64_t gap_;
};

}  // namespace bucketline::testing
