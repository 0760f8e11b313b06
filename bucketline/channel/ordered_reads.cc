#include "bucketline/channel/ordered_reads.h"

#include <utility>

#include "bucketline/base/error.h"

namespace bucketline {

OrderedReads::OrderedReads(const FetcherOptions& options, Name name) : name_(std::move(name)) {
  fetcher_ = std::make_unique<Fetcher>(
      options, [this](const std::stop_token& stop) { return NameNext(stop); },
      [this](uint64_t number, Result<Fetched> result) { Deliver(number, std::move(result)); });
}

OrderedReads::~OrderedReads() { fetcher_->Stop(); }

std::optional<FetchItem> OrderedReads::NameNext(const std::stop_token& stop) {
  uint64_t number = 0;
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [&] { return slots_.size() < kMostAhead; })) return std::nullopt;
    number = taken_ + slots_.size();
  }
  Result<std::optional<PartPlace>> place = Catch(name_);
  if (place && !*place) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (!place) {
    slots_.emplace_back(place.error());
    changed_.notify_all();
    return std::nullopt;
  }
  slots_.emplace_back(std::nullopt);
  return FetchItem{.tag = number, .place = **std::move(place)};
}

void OrderedReads::Deliver(uint64_t number, Result<Fetched> result) {
  const std::lock_guard lock(mutex_);
  slots_[number - taken_].emplace(std::move(result));
  if (number == taken_) changed_.notify_all();
}

bool OrderedReads::Ready() const {
  const std::lock_guard lock(mutex_);
  return !slots_.empty() && slots_.front().has_value();
}

Fetched OrderedReads::Take(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto ready = [&] { return !slots_.empty() && slots_.front().has_value(); };
  if (!changed_.wait(lock, stop, ready)) throw Error(ErrorCode::kCancelled, "the channel was stopped");
  Result<Fetched> result = *std::move(slots_.front());
  slots_.pop_front();
  ++taken_;
  if (slots_.size() + 1 == kMostAhead) changed_.notify_all();  // the namer waits for that
  return std::move(result).ValueOrThrow();
}

}  // namespace bucketline
