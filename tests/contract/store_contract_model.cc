// Random operations against a map: what no single case thinks of.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>

#include "tests/contract/store_contract.h"
#include <gmock/gmock.h>

#include "bucketline/base/random.h"

namespace bucketline::testing {
namespace {

// The simplest store there is, and the rules of the contract applied to it one after the other.
class Model {
 public:
  std::map<std::string, std::string> objects;

  // Keys and rolled-up prefixes of a whole listing, in order.
  std::vector<std::string> Listing(const ListRequest& request) const {
    std::vector<std::string> names;
    for (const auto& [key, content] : objects) {
      if (!key.starts_with(request.prefix) || key <= request.start_after) continue;
      const size_t cut = request.delimiter.empty() ? std::string::npos : key.find('/', request.prefix.size());
      const std::string name = cut == std::string::npos ? key : key.substr(0, cut + 1);
      if (names.empty() || names.back() != name) names.push_back(name);
    }
    return names;
  }
};

// Folders and files have different names, so that no key lies below another.
std::string RandomKey(CounterRng& random) {
  static constexpr std::string_view kFolders[] = {"d/", "d-/", "d.e/", "D/"};
  static constexpr std::string_view kNames[] = {"f", "f-", "f.", "f0", "F", "f f", "f%2f"};
  std::string key;
  for (uint64_t depth = random.NextBelow(3); depth > 0; --depth)
    key += kFolders[random.NextBelow(std::size(kFolders))];
  return key.append(kNames[random.NextBelow(std::size(kNames))]);
}

std::string RandomContent(CounterRng& random) {
  const std::vector<uint8_t> bytes = RampBytes(random.NextBelow(3000), random.NextU64());
  return {bytes.begin(), bytes.end()};
}

class ModelRun {
 public:
  ModelRun(ObjectStore& store, const StoreFixture& fixture, uint64_t seed)
      : store_(store), fixture_(fixture), random_(seed, 0, 0) {}

  // Does one operation on both and compares. False on the first difference.
  bool Step() {
    const std::string key = RandomKey(random_);
    switch (random_.NextBelow(8)) {
      case 0:
      case 1:
      case 2:
        return Put(key, false);
      case 3:
        return fixture_.supports_if_absent ? Put(key, true) : Put(key, false);
      case 4:
        return Delete(key);
      case 5:
        return GetRange(key);
      case 6:
        return GetPinned(key);
      default:
        return List();
    }
  }

  std::string log() const { return log_.str(); }

 private:
  std::ostream& Log() { return log_ << "\n  " << ++steps_ << ". "; }

  bool Same(const std::string& got, const std::string& expected) {
    if (got == expected) return true;
    log_ << "   <- got " << got << ", expected " << expected;
    return false;
  }

  bool Put(const std::string& key, bool if_absent) {
    const std::string content = RandomContent(random_);
    Log() << "put " << key << " " << content.size() << (if_absent ? " if absent" : "");
    const bool refused = if_absent && model_.objects.contains(key);
    const auto put = Catch([&] { return PutBytes(store_, key, content, {.if_absent = if_absent}); });
    if (!refused) model_.objects[key] = content;
    return Same(Outcome(put), refused ? "AlreadyExists" : "ok");
  }

  bool Delete(const std::string& key) {
    Log() << "delete " << key;
    model_.objects.erase(key);
    return Same(Outcome(Catch([&] { DeleteObject(store_, key); })), "ok");
  }

  bool GetRange(const std::string& key) {
    GetRequest request = Range(key, random_.NextBelow(3100), std::nullopt);
    if (random_.NextBelow(2) == 0) request.length = random_.NextBelow(3100);
    Log() << "get " << key << " from " << request.offset << " length "
          << (request.length ? std::to_string(*request.length) : "to the end");
    const auto got = Catch([&] { return GetBytes(store_, request); });
    const auto it = model_.objects.find(key);
    if (it == model_.objects.end()) return Same(Outcome(got), "NotFound");
    const uint64_t size = it->second.size();
    if (request.offset > size || request.length.value_or(0) > size - request.offset) {
      return Same(Outcome(got), "InvalidArgument");
    }
    return Same(Outcome(got), "ok") &&
           Same((*got).ToString(), it->second.substr(request.offset, request.length.value_or(size)));
  }

  // The state that Head names can be read; with another size it is another state.
  bool GetPinned(const std::string& key) {
    Log() << "head and get " << key;
    const auto head = Catch([&] { return HeadObject(store_, key); });
    const auto it = model_.objects.find(key);
    if (it == model_.objects.end()) return Same(Outcome(head), "NotFound");
    if (!Same(Outcome(head), "ok") || !Same(std::to_string(head->size), std::to_string(it->second.size())))
      return false;
    GetRequest request = Whole(key);
    request.pin = {.etag = head->etag, .size = head->size};
    const auto got = Catch([&] { return GetBytes(store_, request); });
    if (!Same(Outcome(got), "ok") || !Same((*got).ToString(), it->second)) return false;
    request.pin.size = head->size + 1;
    return Same(Outcome(Catch([&] { return GetBytes(store_, request); })), "ObjectChanged");
  }

  bool List() {
    ListRequest request;
    if (random_.NextBelow(2) == 0) request.prefix = RandomKey(random_).substr(0, random_.NextBelow(6));
    if (random_.NextBelow(2) == 0) request.delimiter = "/";
    // A start inside of what the delimiter rolls up is where S3 implementations differ: not asked for.
    if (request.delimiter.empty() && random_.NextBelow(2) == 0) request.start_after = RandomKey(random_);
    request.max_keys = static_cast<int>(1 + random_.NextBelow(20));
    Log() << "list prefix '" << request.prefix << "' delimiter '" << request.delimiter << "' start after '"
          << request.start_after << "' by " << request.max_keys;
    const std::vector<std::string> expected = model_.Listing(request);
    std::vector<std::string> names;
    size_t pages = 0;
    do {
      const auto page = Catch([&] { return ListOnePage(store_, request); });
      if (!Same(Outcome(page), "ok")) return false;
      std::vector<std::string> here = KeysOf(page->objects);
      here.insert(here.end(), page->prefixes.begin(), page->prefixes.end());
      std::sort(here.begin(), here.end());
      names.insert(names.end(), here.begin(), here.end());
      request.token = page->next_token;
    } while (!request.token.empty() && ++pages <= expected.size());
    return Same(::testing::PrintToString(names), ::testing::PrintToString(expected));
  }

  ObjectStore& store_;
  const StoreFixture& fixture_;
  CounterRng random_;
  Model model_;
  std::ostringstream log_;
  int steps_ = 0;
};

TEST_P(StoreContract, BehavesLikeAMap) {
  // BUCKETLINE_TEST_SEED repeats a failed run.
  const char* given = std::getenv("BUCKETLINE_TEST_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  Fill({"f"});
  DeleteObject(store(), "f");  // the folder of a file store exists from here on
  ModelRun run(store(), fixture(), seed);
  for (int i = 0; i < fixture().model_operations; ++i) {
    ASSERT_TRUE(run.Step()) << "seed " << seed << ", operations:" << run.log();
  }
}

}  // namespace
}  // namespace bucketline::testing
