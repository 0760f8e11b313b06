#include "src/tf_filesystem/folders.h"

#include <algorithm>
#include <latch>
#include <mutex>
#include <set>
#include <utility>

#include "bucketline/store/blocking.h"

namespace bucketline::tf {
namespace {

constexpr size_t kDeletionsAtOnce = 500;  // the engine's own limits are below this one

}  // namespace

bool IsFolder(const Place& place) {
  const ListPage page = ListOnePage(*place.store, {.prefix = place.folder(), .max_keys = 1});
  return place.key.empty() || !page.objects.empty();
}

Found Find(const Place& place) {
  if (!place.key.empty() && !place.key.ends_with('/')) {
    auto object = Catch([&] { return HeadObject(*place.store, place.key); });
    if (object.ok()) return {.is_folder = false, .object = std::move(object).ValueOrThrow()};
    if (object.error().code() != ErrorCode::kNotFound) throw object.error();
  }
  if (IsFolder(place)) return {.is_folder = true, .object = {}};
  throw Error(ErrorCode::kNotFound, "no such object or folder", place.uri());
}

std::vector<Child> ListChildren(const Place& place, const std::string& prefix, const std::string& start) {
  std::set<std::string> folders;
  std::set<std::string> objects;
  ListRequest request{.prefix = prefix + start, .delimiter = "/"};
  do {
    ListPage page = ListOnePage(*place.store, request);
    for (const std::string& folder : page.prefixes) {
      folders.insert(folder.substr(prefix.size(), folder.size() - prefix.size() - 1));
    }
    for (const ObjectInfo& object : page.objects) objects.insert(object.key.substr(prefix.size()));
    if (!page.next_token.empty() && page.next_token == request.token) {
      throw Error(ErrorCode::kUnavailable, "the listing does not advance", place.uri());
    }
    request.token = std::move(page.next_token);
  } while (!request.token.empty());

  objects.erase("");  // an object "folder/" stands for the folder
  std::vector<Child> children;
  for (const std::string& name : folders) {
    if (!name.empty()) children.push_back({name, true});
  }
  for (const std::string& name : objects) {
    if (!folders.contains(name)) children.push_back({name, false});
  }
  std::sort(children.begin(), children.end(), [](const Child& a, const Child& b) { return a.name < b.name; });
  return children;
}

void DeleteOne(const Place& place) {
  HeadObject(*place.store, place.key);  // a store deletes what is not there, and says nothing
  DeleteObject(*place.store, place.key);
}

Deletion DeleteAll(const Place& place, const std::vector<ObjectInfo>& objects) {
  Deletion deletion;
  std::mutex mutex;
  for (size_t first = 0; first < objects.size(); first += kDeletionsAtOnce) {
    const size_t count = std::min(kDeletionsAtOnce, objects.size() - first);
    // Shared with the callbacks: the last of them may still be inside count_down() when wait() returns.
    const auto done = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(count));
    for (size_t i = first; i < first + count; ++i) {
      place.store->Delete(objects[i].key, [&, done, i](const Result<void>& outcome) {
        if (!outcome.ok()) {
          std::lock_guard lock(mutex);
          ++deletion.failed;
          if (!deletion.first_failure) {
            deletion.first_failure = outcome.error().WithUri(place.store->UriOf(objects[i].key));
          }
        }
        done->count_down();
      });
    }
    done->wait();
  }
  return deletion;
}

}  // namespace bucketline::tf
