// Blocking calls on an ObjectStore, for threads that may wait. Each throws the Error that the store gave.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/store/object_store.h"

namespace bucketline {

// Every object under the prefix, bytewise ascending, page after page. `progress` gets the count so far after
// each page.
std::vector<ObjectInfo> ListAll(ObjectStore& store, std::string prefix, std::stop_token stop = {},
                                const std::function<void(uint64_t objects)>& progress = {});

ListPage ListOnePage(ObjectStore& store, ListRequest request);

// The whole object, or the range. Reads at most `limit` bytes: a larger one is kResourceExhausted, before its
// bytes.
Bytes GetBytes(ObjectStore& store, GetRequest request, uint64_t limit = uint64_t{1} << 30);
Bytes GetBytes(ObjectStore& store, std::string_view key);

// The whole object, or the range, into the memory that `sink` gives.
ObjectInfo GetBytesInto(ObjectStore& store, GetRequest request, std::shared_ptr<GetSink> sink);

// With these two a stop request ends the wait at once, with kCancelled; what was asked for may happen all the same.
ObjectInfo HeadObject(ObjectStore& store, std::string_view key, const std::stop_token& stop = {});
void DeleteObject(ObjectStore& store, std::string_view key, const std::stop_token& stop = {});

ObjectInfo PutBytes(ObjectStore& store, std::string_view key, std::span<const uint8_t> data,
                    WriteCondition condition = {});
ObjectInfo PutBytes(ObjectStore& store, std::string_view key, std::string_view text,
                    WriteCondition condition = {});

}  // namespace bucketline
