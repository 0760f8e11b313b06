#include "bucketline/store/file_lister.h"

#include <algorithm>
#include <utility>

namespace bucketline {
namespace {

// Looks at the stop token before each key.
class StoppableCursor : public KeyCursor {
 public:
  StoppableCursor(KeyCursor& cursor, const CallStop& stop) : cursor_(cursor), stop_(stop) {}

  std::optional<ObjectInfo> Seek(const std::string& from) override {
    stop_.Check({});
    return cursor_.Seek(from);
  }

 private:
  KeyCursor& cursor_;
  const CallStop& stop_;
};

}  // namespace

ListPage FileLister::ListPageOf(const std::string& root, const ListRequest& request, const CallStop& stop) {
  CheckListRequest(request);
  std::unique_ptr<FileWalk> walk = Take(request);
  if (!walk) walk = std::make_unique<FileWalk>(FileRoot(root), request.prefix);
  StoppableCursor cursor(*walk, stop);
  ListPage page = MakeListPage(request, cursor);
  if (!page.next_token.empty()) Keep(request, page.next_token, std::move(walk));
  return page;
}

size_t FileLister::kept_walks() const {
  std::lock_guard lock(mutex_);
  return kept_.size();
}

std::unique_ptr<FileWalk> FileLister::Take(const ListRequest& request) {
  std::unique_ptr<FileWalk> walk;
  if (request.token.empty()) return walk;
  {
    std::lock_guard lock(mutex_);
    const auto it = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) {
      return kept.token == request.token && kept.prefix == request.prefix;
    });
    if (it == kept_.end()) return walk;
    walk = std::move(it->walk);
    kept_.erase(it);
  }
  if (!walk->IsCurrent()) walk.reset();
  return walk;
}

void FileLister::Keep(const ListRequest& request, const std::string& token, std::unique_ptr<FileWalk> walk) {
  std::lock_guard lock(mutex_);
  kept_.push_front({request.prefix, token, std::move(walk)});
  if (kept_.size() > kMaxKept) kept_.pop_back();
}

}  // namespace bucketline
