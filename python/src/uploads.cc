#include "src/uploads.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "bucketline/s3/s3_store.h"
#include "bucketline/s3/s3_upload.h"
#include "bucketline/store/blocking.h"

namespace bucketline::python {

uint64_t Uploads::Cost(uint64_t size) {
  const uint64_t held = (1 + S3Upload::kInFlight) * S3Options{}.multipart_part_size;
  return size + std::min(size, held);
}

bool Uploads::Put(const std::string& key, std::span<const uint8_t> data, WriteCondition condition,
                  std::stop_token stop) {
  const uint64_t cost = Cost(data.size());
  if (cost > budget_.capacity()) {
    throw Error(
        ErrorCode::kResourceExhausted,
        fmt::format("an object of {} bytes needs memory of {} bytes on its way, and the writer has {}; "
                    "give it more, or write the object with open()",
                    data.size(), cost, budget_.capacity()),
        store_->UriOf(key));
  }
  auto room = budget_.Acquire(cost, std::move(stop));
  if (!room) return false;
  condition.stop = stop_.get_token();
  {
    std::lock_guard lock(mutex_);
    ++under_way_;
  }
  const auto held = std::make_shared<Reservation>(std::move(*room));
  const bool taken = pool_.Submit([this, key, held, condition = std::move(condition),
                                   copy = std::vector<uint8_t>(data.begin(), data.end())]() mutable {
    Run(key, copy, std::move(condition));
    copy = {};
    held->Release();
    std::lock_guard lock(mutex_);
    if (--under_way_ == 0) idle_.notify_all();
  });
  if (!taken) {
    std::lock_guard lock(mutex_);
    --under_way_;
    throw Error(ErrorCode::kInvalidArgument, "the writer is closed", store_->UriOf(key));
  }
  return true;
}

void Uploads::Run(const std::string& key, std::span<const uint8_t> data, WriteCondition condition) {
  const auto outcome = Catch([&] {
    if (condition.stop.stop_requested()) throw Error(ErrorCode::kCancelled, "the writer was closed");
    PutBytes(*store_, key, data, std::move(condition));
  });
  std::lock_guard lock(mutex_);
  if (outcome.ok()) {
    ++written_;
  } else {
    failures_.emplace_back(key, outcome.error().WithUri(store_->UriOf(key)));
  }
}

bool Uploads::Flush(Duration longest, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, stop, longest, [&] { return under_way_ == 0; });
}

void Uploads::GiveUp() {
  stop_.request_stop();
  pool_.Stop();
}

Uploads::Failures Uploads::TakeFailures() {
  std::lock_guard lock(mutex_);
  return std::exchange(failures_, {});
}

uint64_t Uploads::written() const {
  std::lock_guard lock(mutex_);
  return written_;
}

}  // namespace bucketline::python
