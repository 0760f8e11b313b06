// The simplest store there is, a map, and the rules of the contract applied to it and to a real one.
#include <algorithm>
#include <map>

#include "tests/contract/store_contract.h"
#include "tests/contract/store_operations.h"
#include <fmt/format.h>

namespace bucketline::testing {
namespace {

using Kind = StoreOperation::Kind;

std::string ContentOf(const StoreOperation& put) {
  const std::vector<uint8_t> bytes = RampBytes(put.size, put.seed);
  return {bytes.begin(), bytes.end()};
}

// Each operation gives "" or what differs.
class Comparison {
 public:
  explicit Comparison(ObjectStore& store) : store_(store) {}

  std::string Do(const StoreOperation& operation) {
    switch (operation.kind) {
      case Kind::kPut:
      case Kind::kPutNew:
        return Put(operation);
      case Kind::kDelete:
        objects_.erase(operation.key);
        return Compare(Outcome(Catch([&] { DeleteObject(store_, operation.key); })), "ok");
      case Kind::kGet:
        return Get(operation);
      case Kind::kHead:
        return HeadAndGetPinned(operation.key);
      case Kind::kList:
        break;
    }
    return List(operation);
  }

 private:
  static std::string Compare(const std::string& got, const std::string& expected) {
    return got == expected ? "" : fmt::format("got {}, expected {}", got, expected);
  }

  std::string Put(const StoreOperation& operation) {
    const std::string content = ContentOf(operation);
    const bool if_absent = operation.kind == Kind::kPutNew;
    const bool refused = if_absent && objects_.contains(operation.key);
    const auto put =
        Catch([&] { return PutBytes(store_, operation.key, content, {.if_absent = if_absent}); });
    if (!refused) objects_[operation.key] = content;
    return Compare(Outcome(put), refused ? "AlreadyExists" : "ok");
  }

  std::string Get(const StoreOperation& operation) {
    const GetRequest request = Range(operation.key, operation.size, operation.length);
    const auto got = Catch([&] { return GetBytes(store_, request); });
    const auto it = objects_.find(operation.key);
    if (it == objects_.end()) return Compare(Outcome(got), "NotFound");
    const uint64_t size = it->second.size();
    if (request.offset > size || request.length.value_or(0) > size - request.offset)
      return Compare(Outcome(got), "InvalidArgument");
    if (!got) return Compare(Outcome(got), "ok");
    const std::string expected = it->second.substr(request.offset, request.length.value_or(size));
    return got->ToString() == expected
               ? ""
               : fmt::format("other bytes, {} instead of {}", got->size(), expected.size());
  }

  // The state that Head names can be read; with another size it is another state.
  std::string HeadAndGetPinned(const std::string& key) {
    const auto head = Catch([&] { return HeadObject(store_, key); });
    const auto it = objects_.find(key);
    if (it == objects_.end()) return Compare(Outcome(head), "NotFound");
    if (!head) return Compare(Outcome(head), "ok");
    if (head->size != it->second.size())
      return fmt::format("size {} instead of {}", head->size, it->second.size());
    GetRequest request = Whole(key);
    request.pin = {.etag = head->etag, .size = head->size};
    const auto got = Catch([&] { return GetBytes(store_, request); });
    if (!got) return Compare(Outcome(got), "ok");
    if (got->view() != it->second) return "other bytes when pinned";
    request.pin.size = head->size + 1;
    return Compare(Outcome(Catch([&] { return GetBytes(store_, request); })), "ObjectChanged");
  }

  // Keys and rolled-up prefixes of a whole listing, in order.
  std::vector<std::string> Expected(const ListRequest& request) const {
    std::vector<std::string> names;
    for (const auto& [key, content] : objects_) {
      if (!key.starts_with(request.prefix) || key <= request.start_after) continue;
      const size_t cut = request.delimiter.empty() ? std::string::npos : key.find('/', request.prefix.size());
      const std::string name = cut == std::string::npos ? key : key.substr(0, cut + 1);
      if (names.empty() || names.back() != name) names.push_back(name);
    }
    return names;
  }

  std::string List(const StoreOperation& operation) {
    ListRequest request;
    request.prefix = operation.key;
    request.delimiter = operation.delimiter;
    request.start_after = operation.start_after;
    request.max_keys = static_cast<int>(operation.size);
    const std::vector<std::string> expected = Expected(request);
    std::vector<std::string> names;
    size_t pages = 0;
    do {
      const auto page = Catch([&] { return ListOnePage(store_, request); });
      if (!page) return Compare(Outcome(page), "ok");
      std::vector<std::string> here = KeysOf(page->objects);
      here.insert(here.end(), page->prefixes.begin(), page->prefixes.end());
      std::sort(here.begin(), here.end());
      names.insert(names.end(), here.begin(), here.end());
      request.token = page->next_token;
    } while (!request.token.empty() && ++pages <= expected.size());
    return Compare(::testing::PrintToString(names), ::testing::PrintToString(expected));
  }

  ObjectStore& store_;
  std::map<std::string, std::string> objects_;
};

}  // namespace

std::string FindDifference(ObjectStore& store, const std::vector<StoreOperation>& operations) {
  Comparison comparison(store);
  for (size_t i = 0; i < operations.size(); ++i) {
    const std::string difference = comparison.Do(operations[i]);
    if (!difference.empty()) return fmt::format("operation {}: {}", i + 1, difference);
  }
  return {};
}

}  // namespace bucketline::testing
