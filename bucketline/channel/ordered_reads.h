// OrderedReads: ranges of objects, many asked for at once, given in the order in which they are named.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/fetcher.h"

namespace bucketline {

// One thread takes; one of its own asks ahead, as far as the budgets and kMostAhead go.
class OrderedReads {
 public:
  static constexpr size_t kMostAhead = 4096;  // ranges: of tiny ones the budget would hold too many

  // The next range, or nullopt after the last; on a thread of this, one call at a time. May throw Error, which stands in the
  // place of the range and ends the reading.
  using Name = std::function<std::optional<PartPlace>()>;

  // `options` as of a Fetcher; its budgets outlive this and all that it gave.
  OrderedReads(const FetcherOptions& options, Name name);
  ~OrderedReads();  // stops what runs
  OrderedReads(const OrderedReads&) = delete;
  OrderedReads& operator=(const OrderedReads&) = delete;

  // Whether Take would give something without waiting.
  bool Ready() const;

  // The next range's bytes; whoever lets go of them makes room for later ones. Throws its Error, naming the object;
  // kCancelled when stopped. Precondition: one is named that was not taken.
  Fetched Take(const std::stop_token& stop);

 private:
  using Slot = std::optional<Result<Fetched>>;

  std::optional<FetchItem> NameNext(const std::stop_token& stop);
  void Deliver(uint64_t number, Result<Fetched> result);

  const Name name_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable_any changed_;
  std::deque<Slot> slots_;  // named and not taken
  uint64_t taken_ = 0;
  std::unique_ptr<Fetcher> fetcher_;  // last: its threads use the rest
};

}  // namespace bucketline
