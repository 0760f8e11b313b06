#include <map>
#include <mutex>

#include "bucketline/serve/buckets.h"
#include "bucketline/serve/store_shelf.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/memory_store.h"

namespace bucketline {
namespace {

class MemoryBuckets : public BucketProvider {
 public:
  std::vector<BucketInfo> List() override {
    std::lock_guard lock(mutex_);
    std::vector<BucketInfo> buckets;
    for (const auto& [name, store] : shelf_.stores()) buckets.push_back({name, created_[name]});
    return buckets;
  }

  std::shared_ptr<ObjectStore> Find(const std::string& name) override {
    std::lock_guard lock(mutex_);
    return shelf_.Find(name);
  }

  bool Create(const std::string& name) override {
    std::lock_guard lock(mutex_);
    if (shelf_.Find(name)) return false;
    shelf_.Put(name, MakeMemoryStore(name));
    created_[name] = Clock::Real().WallNow();
    return true;
  }

  BucketRemoval Remove(const std::string& name) override {
    std::lock_guard lock(mutex_);
    const std::shared_ptr<ObjectStore> store = shelf_.Find(name);
    if (!store) return BucketRemoval::kMissing;
    ListRequest first;
    first.max_keys = 1;
    if (!ListOnePage(*store, first).objects.empty()) return BucketRemoval::kNotEmpty;
    shelf_.Retire(name);
    created_.erase(name);
    return BucketRemoval::kRemoved;
  }

  std::shared_ptr<ObjectStore> Staging() override { return staging_; }

 private:
  std::mutex mutex_;
  serve::StoreShelf shelf_;
  std::map<std::string, WallTime> created_;
  const std::shared_ptr<ObjectStore> staging_ = MakeMemoryStore("unfinished-uploads");
};

}  // namespace

std::unique_ptr<BucketProvider> MakeMemoryBuckets() { return std::make_unique<MemoryBuckets>(); }

}  // namespace bucketline
