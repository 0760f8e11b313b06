#include "bucketline/store/list_page.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/hash.h"

namespace bucketline {
namespace {

std::string TokenOf(std::string_view key) {
  return Hex({reinterpret_cast<const uint8_t*>(key.data()), key.size()});
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<std::string> KeyOfToken(std::string_view token) {
  if (token.size() % 2 != 0) return std::nullopt;
  std::string key;
  for (size_t i = 0; i < token.size(); i += 2) {
    const int high = HexDigit(token[i]);
    const int low = HexDigit(token[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    key.push_back(static_cast<char>(high * 16 + low));
  }
  return key;
}

// The smallest string above `key`.
std::string After(std::string_view key) { return std::string(key) + '\0'; }

}  // namespace

std::string EndOfPrefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty()) {
    const auto last = static_cast<unsigned char>(end.back());
    if (last < 0xff) {
      end.back() = static_cast<char>(last + 1);
      return end;
    }
    end.pop_back();
  }
  return end;
}

void CheckListLimits(const ListRequest& request) {
  if (request.max_keys < 1 || request.max_keys > 1000) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("max_keys is {}; a page holds 1 to 1000 keys", request.max_keys));
  }
  if (!request.delimiter.empty() && request.delimiter != "/") {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("the delimiter is '{}'; only '/' or none is supported", request.delimiter));
  }
}

void CheckListRequest(const ListRequest& request) {
  CheckListLimits(request);
  if (request.versions) throw Error(ErrorCode::kUnsupported, "this store keeps no versions of its objects");
  if (!KeyOfToken(request.token)) {
    throw Error(ErrorCode::kInvalidArgument, "the list token is not one that this store gave");
  }
}

std::string FirstKeyOf(const ListRequest& request) {
  std::string first = request.prefix;
  if (!request.token.empty()) {
    first = std::max(first, KeyOfToken(request.token).value_or(""));
  } else if (!request.start_after.empty()) {
    first = std::max(first, After(request.start_after));
  }
  return first;
}

ListPage MakeListPage(const ListRequest& request, KeyCursor& cursor) {
  ListPage page;
  std::string from = FirstKeyOf(request);
  while (std::optional<ObjectInfo> object = cursor.Seek(from)) {
    if (!object->key.starts_with(request.prefix)) break;
    if (page.objects.size() + page.prefixes.size() == static_cast<size_t>(request.max_keys)) {
      page.next_token = TokenOf(object->key);
      break;
    }
    const size_t cut = request.delimiter.empty() ? std::string::npos
                                                 : object->key.find(request.delimiter, request.prefix.size());
    if (cut == std::string::npos) {
      from = After(object->key);
      page.objects.push_back(std::move(*object));
    } else {
      page.prefixes.push_back(object->key.substr(0, cut + request.delimiter.size()));
      from = EndOfPrefix(page.prefixes.back());
    }
  }
  return page;
}

}  // namespace bucketline
