// StoreShelf: the stores that a BucketProvider has made, by name, and those that wait for their last user.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bucketline/store/object_store.h"

namespace bucketline::serve {

// Not thread-safe. A store's destructor waits for its threads, so a callback on such a thread must never drop
// the last reference: the shelf keeps one until nobody else does.
class StoreShelf {
 public:
  std::shared_ptr<ObjectStore> Find(const std::string& name) const {
    const auto found = stores_.find(name);
    return found == stores_.end() ? nullptr : found->second;
  }
  std::shared_ptr<ObjectStore> Put(const std::string& name, std::unique_ptr<ObjectStore> store) {
    return stores_[name] = std::move(store);
  }
  void Retire(const std::string& name) {
    if (auto node = stores_.extract(name)) retired_.push_back(std::move(node.mapped()));
    std::erase_if(retired_, [](const std::shared_ptr<ObjectStore>& store) { return store.use_count() == 1; });
  }
  const std::map<std::string, std::shared_ptr<ObjectStore>>& stores() const { return stores_; }

 private:
  std::map<std::string, std::shared_ptr<ObjectStore>> stores_;
  std::vector<std::shared_ptr<ObjectStore>> retired_;
};

}  // namespace bucketline::serve
