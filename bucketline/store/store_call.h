// StoreCall: one call of an ObjectStore, as the decorators for tests see it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "bucketline/store/call_tracker.h"
#include "bucketline/store/linked_stop.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

enum class StoreOp { kList, kGet, kHead, kDelete, kOpenWriter, kCommit };

struct StoreCall {
  StoreOp op = StoreOp::kGet;
  std::string key;                 // the prefix of a List
  uint64_t offset = 0;             // of a Get
  std::optional<uint64_t> length;  // of a Get
  Pin pin;                         // of a Get
  std::string token;               // of a List
};

inline StoreCall CallOf(const GetRequest& request) {
  return {.op = StoreOp::kGet,
          .key = request.key,
          .offset = request.offset,
          .length = request.length,
          .pin = request.pin,
          .token = {}};
}
inline StoreCall CallOf(const ListRequest& request) {
  return {.op = StoreOp::kList,
          .key = request.prefix,
          .offset = 0,
          .length = {},
          .pin = {},
          .token = request.token};
}
inline StoreCall CallOf(StoreOp op, std::string key) {
  return {.op = op, .key = std::move(key), .offset = 0, .length = {}, .pin = {}, .token = {}};
}

// The completion with which a decorator passes a call on: until it has been called, the call counts as one of
// `tracker`. With `stop`, the call's own token is replaced by one that the end of the decorator requests too.
template <typename T>
std::function<void(Result<T>)> PassOn(CallTracker& tracker, std::stop_token* stop,
                                      std::function<void(Result<T>)> next) {
  std::shared_ptr<LinkedStop> link;
  if (stop != nullptr) {
    link = std::make_shared<LinkedStop>(*stop, tracker.stop_token());
    *stop = link->token();
  }
  return
      [ticket = tracker.Enter(), link = std::move(link), next = std::move(next)](Result<T> result) mutable {
        link.reset();
        next(std::move(result));
        next = nullptr;
        ticket.reset();
      };
}

}  // namespace bucketline
