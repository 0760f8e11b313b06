#include "bucketline/pack/record_stream.h"

#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"
#include "bucketline/dataset/part_checksum.h"
#include "bucketline/dataset/pinning.h"

namespace bucketline {
namespace {

// Records ahead of the one that is waited for: tiny ones take no budget to speak of, but memory all the same.
constexpr uint64_t kMostAhead = 8192;

}  // namespace

uint64_t LargestResult(uint64_t length) { return 4 * length + 64_KiB; }

RecordStream::RecordStream(const PackSamples& samples, uint64_t first, uint64_t last,
                           const StreamResources& resources, std::stop_token stop)
    : samples_(samples),
      last_(last),
      parts_(samples.dataset().part_names().size()),
      resources_(resources),
      stop_(std::move(stop)),
      result_budget_(resources.result_bytes),
      record_budget_(resources.record_bytes),
      next_tag_(first * parts_),
      head_(first) {
  const FetcherOptions options{.budget = &record_budget_, .requests = resources_.requests};
  fetcher_ = std::make_unique<Fetcher>(
      options, [this](std::stop_token end) { return NextItem(std::move(end)); },
      [this](uint64_t tag, Result<Fetched> result) { Deliver(tag, std::move(result)); });
}

RecordStream::~RecordStream() {
  fetcher_->Stop();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return resizing_ == 0; });
}

std::optional<FetchItem> RecordStream::NextItem(std::stop_token stop) {
  if (next_tag_ == last_ * parts_) return std::nullopt;
  const uint64_t position = next_tag_ / parts_;
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return position < head_ + kMostAhead; })) return std::nullopt;
  }
  FetchItem item{.tag = next_tag_,
                 .place = samples_.dataset().PlaceAt(samples_.IndexAt(position), next_tag_ % parts_)};
  ++next_tag_;
  if (resources_.resize) {
    std::optional<Reservation> room =
        result_budget_.Acquire(LargestResult(item.place.part.length), std::move(stop));
    if (!room) return std::nullopt;
    std::lock_guard lock(mutex_);
    results_.emplace(item.tag, *std::move(room));
  }
  return item;
}

void RecordStream::Deliver(uint64_t tag, Result<Fetched> result) {
  Arrival arrival;
  {
    std::lock_guard lock(mutex_);
    if (const auto found = results_.find(tag); found != results_.end()) {
      arrival.part.result = std::move(found->second);
      results_.erase(found);
    }
  }
  if (!result) {
    arrival.error = result.error();
    return Put(tag, std::move(arrival));
  }
  arrival.error = ChecksumFault(result->bytes.span(), result->crc32c);
  arrival.bad = arrival.error.has_value();
  arrival.part.bytes = std::move(result->bytes);
  arrival.part.lease = std::move(result->lease);
  if (!resources_.resize || arrival.bad) return Put(tag, std::move(arrival));
  {
    std::lock_guard lock(mutex_);
    ++resizing_;
  }
  const auto shared = std::make_shared<Arrival>(std::move(arrival));
  const bool taken = resources_.pool->Submit([this, tag, shared] {
    Resize(tag, std::move(*shared));
    std::lock_guard lock(mutex_);
    --resizing_;
    changed_.notify_all();
  });
  if (taken) return;
  std::lock_guard lock(mutex_);
  --resizing_;
  changed_.notify_all();
}

void RecordStream::Resize(uint64_t tag, Arrival arrival) {
  thread_local ImageDecoder decoder;
  try {
    const Recompression image(arrival.part.bytes.span(), *resources_.resize);
    if (image.needed()) {
      const uint64_t memory = image.memory();
      if (memory > resources_.pixels->capacity()) {
        arrival.error =
            Error(ErrorCode::kResourceExhausted,
                  fmt::format("making this image smaller takes {} of memory, and the pack has {} for that, a "
                              "quarter of its memory; give it more",
                              FormatByteSize(memory), FormatByteSize(resources_.pixels->capacity())));
        return Put(tag, std::move(arrival));
      }
      const std::optional<Reservation> room = resources_.pixels->Acquire(memory, stop_);
      if (!room) throw Error(ErrorCode::kCancelled, "the pack was stopped");
      std::vector<uint8_t> smaller = image.Run(decoder);
      if (smaller.size() > LargestResult(arrival.part.bytes.size())) {
        throw Error(ErrorCode::kResourceExhausted,
                    fmt::format("at this quality its {} bytes become {}; ask for less",
                                arrival.part.bytes.size(), smaller.size()));
      }
      arrival.part.bytes = Bytes::FromVector(std::move(smaller));
      arrival.part.lease.Release();
      arrival.part.result.ShrinkTo(arrival.part.bytes.size());
    } else {
      arrival.part.result.Release();
    }
  } catch (const Error& error) {
    arrival.bad = error.code() == ErrorCode::kCorruptData || error.code() == ErrorCode::kResourceExhausted ||
                  error.code() == ErrorCode::kInvalidArgument;
    arrival.error = error;
  } catch (const std::exception& exception) {
    arrival.error = Error(ErrorCode::kInternal, exception.what());
  }
  Put(tag, std::move(arrival));
}

void RecordStream::Put(uint64_t tag, Arrival arrival) {
  std::lock_guard lock(mutex_);
  arrived_.emplace(tag, std::move(arrival));
  changed_.notify_all();
}

RecordStream::Arrival RecordStream::Take(uint64_t tag) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop_, [&] { return arrived_.contains(tag); })) {
    throw Error(ErrorCode::kCancelled, "the pack was stopped");
  }
  Arrival arrival = std::move(arrived_.extract(tag).mapped());
  return arrival;
}

std::string RecordStream::UriOf(uint64_t tag) const {
  return samples_.dataset().UriAt(samples_.IndexAt(tag / parts_), tag % parts_);
}

std::optional<PackedRecord> RecordStream::Next() {
  if (head_ == last_) return std::nullopt;  // only this thread moves it
  PackedRecord record{.position = head_, .parts = {}, .bad = {}};
  for (size_t part = 0; part < parts_; ++part) {
    const uint64_t tag = head_ * parts_ + part;
    Arrival arrival = Take(tag);
    if (arrival.error && !arrival.bad) throw arrival.error->WithUri(UriOf(tag));
    if (arrival.error && !record.bad) record.bad = arrival.error->WithUri(UriOf(tag));
    record.parts.push_back(std::move(arrival.part));
  }
  std::lock_guard lock(mutex_);
  ++head_;
  changed_.notify_all();
  return record;
}

}  // namespace bucketline
