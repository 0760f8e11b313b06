#include "bucketline/store/latency_store.h"

#include <type_traits>
#include <utility>

#include "bucketline/store/parked_call.h"

namespace bucketline {
namespace {

template <typename T>
uint64_t BytesOf(const StoreCall& call, const Result<T>& result) {
  if constexpr (std::is_same_v<T, ObjectInfo>) {
    if (call.op == StoreOp::kGet && result.ok()) return call.length.value_or(result->size - call.offset);
  }
  return 0;
}

}  // namespace

LatencyModel FixedLatency(Duration first_byte, double bytes_per_second) {
  return [=](const StoreCall&, uint64_t bytes) {
    if (bytes_per_second <= 0) return first_byte;
    const std::chrono::duration<double> transfer(static_cast<double>(bytes) / bytes_per_second);
    return first_byte + std::chrono::duration_cast<Duration>(transfer);
  };
}

LatencyStore::LatencyStore(std::shared_ptr<ObjectStore> inner, LatencyModel model)
    : inner_(std::move(inner)), model_(std::move(model)) {}

template <typename T>
std::function<void(Result<T>)> LatencyStore::Late(StoreCall call, std::stop_token* stop,
                                                  std::function<void(Result<T>)> done) {
  const std::stop_token call_stop = stop != nullptr ? *stop : std::stop_token();
  return PassOn<T>(
      threads_.tracker(), stop,
      [this, call = std::move(call), call_stop, done = std::move(done)](Result<T> result) {
        const Duration delay = model_(call, BytesOf(call, result));
        const auto end = [uri = UriOf(call.key), done, result = std::move(result)](bool stopped) mutable {
          done(stopped ? Result<T>(Error(ErrorCode::kCancelled, "stopped on request", uri))
                       : std::move(result));
        };
        timer_.After(delay,
                     [parked = ParkedCall::Park(threads_, call_stop, end)](bool) { parked->Release(); });
      });
}

void LatencyStore::List(ListRequest request, std::function<void(Result<ListPage>)> done) {
  auto late = Late<ListPage>(CallOf(request), &request.stop, std::move(done));
  inner_->List(std::move(request), std::move(late));
}

void LatencyStore::Get(GetRequest request, std::shared_ptr<GetSink> sink,
                       std::function<void(Result<ObjectInfo>)> done) {
  auto late = Late<ObjectInfo>(CallOf(request), &request.stop, std::move(done));
  inner_->Get(std::move(request), std::move(sink), std::move(late));
}

void LatencyStore::Head(std::string key, std::function<void(Result<ObjectInfo>)> done) {
  auto late = Late<ObjectInfo>(CallOf(StoreOp::kHead, key), nullptr, std::move(done));
  inner_->Head(std::move(key), std::move(late));
}

void LatencyStore::Delete(std::string key, std::function<void(Result<void>)> done) {
  auto late = Late<void>(CallOf(StoreOp::kDelete, key), nullptr, std::move(done));
  inner_->Delete(std::move(key), std::move(late));
}

std::unique_ptr<ObjectWriter> LatencyStore::OpenWriter(std::string key, WriteCondition condition) {
  return inner_->OpenWriter(std::move(key), std::move(condition));
}

}  // namespace bucketline
