// A bucket that is not there: objects of SyntheticRecord, listed from memory. They cannot be read.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bucketline/base/error.h"
#include "bucketline/records/synthetic_manifest.h"
#include "bucketline/store/list_page.h"
#include "bucketline/store/object_store.h"
#include "bucketline/store/store_threads.h"

namespace bucketline::bench {

class SyntheticBucket : public ObjectStore {
 public:
  explicit SyntheticBucket(uint64_t objects) {
    objects_.reserve(objects);
    for (uint64_t number = 0; number < objects; ++number) {
      Record record = SyntheticRecord(number);
      ObjectInfo object;
      object.key = std::move(record.key);
      object.size = record.parts.front().object_size;
      object.etag = std::move(record.parts.front().etag);
      objects_.push_back(std::move(object));
    }
    std::sort(objects_.begin(), objects_.end(),
              [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; });
  }

  void List(ListRequest request, std::function<void(Result<ListPage>)> done) override {
    const std::stop_token stop = request.stop;
    threads_.Call(
        stop, UriOf(request.prefix),
        [this, request = std::move(request)](const CallStop&) {
          CheckListRequest(request);
          Cursor cursor(objects_);
          return MakeListPage(request, cursor);
        },
        std::move(done));
  }

  void Get(GetRequest request, std::shared_ptr<GetSink>,
           std::function<void(Result<ObjectInfo>)> done) override {
    Refuse<ObjectInfo>(request.key, std::move(done));
  }
  void Head(std::string key, std::function<void(Result<ObjectInfo>)> done) override {
    Refuse<ObjectInfo>(key, std::move(done));
  }
  void Delete(std::string key, std::function<void(Result<void>)> done) override {
    Refuse<void>(key, std::move(done));
  }
  std::unique_ptr<ObjectWriter> OpenWriter(std::string key, WriteCondition) override {
    throw Error(ErrorCode::kUnsupported, "this bucket can only be listed", UriOf(key));
  }
  std::string UriOf(std::string_view key) const override { return "synthetic://bucket/" + std::string(key); }

 private:
  class Cursor : public KeyCursor {
   public:
    explicit Cursor(const std::vector<ObjectInfo>& objects) : objects_(objects), next_(objects.size()) {}

    std::optional<ObjectInfo> Seek(const std::string& from) override {
      // Mostly the next one is asked for.
      if (next_ >= objects_.size() || objects_[next_].key < from ||
          (next_ > 0 && objects_[next_ - 1].key >= from)) {
        const auto it = std::lower_bound(
            objects_.begin(), objects_.end(), from,
            [](const ObjectInfo& object, const std::string& key) { return object.key < key; });
        next_ = static_cast<size_t>(it - objects_.begin());
      }
      if (next_ == objects_.size()) return std::nullopt;
      return objects_[next_++];
    }

   private:
    const std::vector<ObjectInfo>& objects_;
    size_t next_;
  };

  template <typename T>
  void Refuse(const std::string& key, std::function<void(Result<T>)> done) {
    threads_.Call(
        {}, UriOf(key),
        [uri = UriOf(key)](const CallStop&) -> T {
          throw Error(ErrorCode::kUnsupported, "this bucket can only be listed", uri);
        },
        std::move(done));
  }

  std::vector<ObjectInfo> objects_;
  StoreThreads threads_{2, "bl-synthetic"};  // last: its work uses the rest
};

}  // namespace bucketline::bench
