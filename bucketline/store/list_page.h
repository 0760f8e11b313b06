// Pages of a listing, made from keys in bytewise order: the same rules for every store that has its keys at
// hand.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bucketline/store/object_store.h"

namespace bucketline {

// Keys in bytewise ascending order.
class KeyCursor {
 public:
  virtual ~KeyCursor() = default;
  // The first object whose key is not below `from`; nullopt at the end. `from` never goes back.
  virtual std::optional<ObjectInfo> Seek(const std::string& from) = 0;
};

// What no store takes. Throws kInvalidArgument: max_keys outside 1..1000, a delimiter other than "" and "/".
void CheckListLimits(const ListRequest& request);

// That, and a token that MakeListPage never gave.
void CheckListRequest(const ListRequest& request);

// The smallest key that the page may show.
std::string FirstKeyOf(const ListRequest& request);

// Fills one page. Tokens are hexadecimal text naming the next key, so they survive any URL or XML, need no
// memory in the store, and stay good when that key is deleted.
ListPage MakeListPage(const ListRequest& request, KeyCursor& cursor);

// The smallest string above every string that starts with `prefix`; "" when there is none (all bytes 0xff).
std::string EndOfPrefix(std::string_view prefix);

}  // namespace bucketline
