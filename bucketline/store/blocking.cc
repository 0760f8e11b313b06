#include "bucketline/store/blocking.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace bucketline {
namespace {

// Where a completion and the thread that waits for it meet. The wait ends because every store completes every
// call, soon after a stop request at the latest; where a call takes no stop token, the wait alone does.
template <typename T>
class Waiter {
 public:
  std::function<void(Result<T>)> Done() {
    return [state = state_](Result<T> result) {
      std::lock_guard lock(state->mutex);
      state->result.emplace(std::move(result));
      state->wake.notify_all();
    };
  }

  T Wait(const std::stop_token& stop = {}) {
    std::unique_lock lock(state_->mutex);
    if (!state_->wake.wait(lock, stop, [&] { return state_->result.has_value(); })) {
      throw Error(ErrorCode::kCancelled, "stopped on request");
    }
    return std::move(*state_->result).ValueOrThrow();
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::optional<Result<T>> result;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

class BytesSink : public GetSink {
 public:
  explicit BytesSink(uint64_t limit) : limit_(limit) {}

  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo&) override {
    if (size > limit_) {
      return Error(
          ErrorCode::kResourceExhausted,
          fmt::format("{} bytes are more than the {} allowed here; read it in ranges", size, limit_));
    }
    if (!memory_ || size != size_) {
      try {
        memory_ = std::make_shared_for_overwrite<uint8_t[]>(size);
      } catch (const std::bad_alloc&) {
        return Error(ErrorCode::kResourceExhausted, fmt::format("no memory for {} bytes", size));
      }
      size_ = size;
    }
    return std::span<uint8_t>(memory_.get(), size_);
  }

  Bytes Take() { return Bytes(memory_, memory_.get(), size_); }

 private:
  const uint64_t limit_;
  std::shared_ptr<uint8_t[]> memory_;
  size_t size_ = 0;
};

}  // namespace

ListPage ListOnePage(ObjectStore& store, ListRequest request) {
  Waiter<ListPage> waiter;
  store.List(std::move(request), waiter.Done());
  return waiter.Wait();
}

std::vector<ObjectInfo> ListAll(ObjectStore& store, std::string prefix, std::stop_token stop,
                                const std::function<void(uint64_t objects)>& progress) {
  const auto by_key = [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; };
  std::vector<ObjectInfo> all;
  ListRequest request;
  request.prefix = std::move(prefix);
  request.stop = std::move(stop);
  do {
    ListPage page = ListOnePage(store, request);
    std::move(page.objects.begin(), page.objects.end(), std::back_inserter(all));
    if (progress) progress(all.size());
    if (!page.next_token.empty() && page.next_token == request.token) {
      throw Error(ErrorCode::kUnavailable,
                  "the listing does not advance: the store gave the same token twice",
                  store.UriOf(request.prefix));
    }
    request.token = std::move(page.next_token);
  } while (!request.token.empty());
  // Some S3 bucket types list in no order.
  if (!std::is_sorted(all.begin(), all.end(), by_key)) std::sort(all.begin(), all.end(), by_key);
  return all;
}

Bytes GetBytes(ObjectStore& store, GetRequest request, uint64_t limit) {
  auto sink = std::make_shared<BytesSink>(limit);
  GetBytesInto(store, std::move(request), sink);
  return sink->Take();
}

ObjectInfo GetBytesInto(ObjectStore& store, GetRequest request, std::shared_ptr<GetSink> sink) {
  Waiter<ObjectInfo> waiter;
  store.Get(std::move(request), std::move(sink), waiter.Done());
  return waiter.Wait();
}

Bytes GetBytes(ObjectStore& store, std::string_view key) {
  GetRequest request;
  request.key = key;
  return GetBytes(store, std::move(request));
}

ObjectInfo HeadObject(ObjectStore& store, std::string_view key, const std::stop_token& stop) {
  Waiter<ObjectInfo> waiter;
  store.Head(std::string(key), waiter.Done());
  return waiter.Wait(stop);
}

ObjectInfo PutBytes(ObjectStore& store, std::string_view key, std::span<const uint8_t> data,
                    WriteCondition condition) {
  const auto writer = store.OpenWriter(std::string(key), std::move(condition));
  writer->Write(data);
  return writer->Commit();
}

ObjectInfo PutBytes(ObjectStore& store, std::string_view key, std::string_view text,
                    WriteCondition condition) {
  const std::span<const uint8_t> data(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  return PutBytes(store, key, data, std::move(condition));
}

void DeleteObject(ObjectStore& store, std::string_view key, const std::stop_token& stop) {
  Waiter<void> waiter;
  store.Delete(std::string(key), waiter.Done());
  waiter.Wait(stop);
}

}  // namespace bucketline
