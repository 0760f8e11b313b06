#include "bucketline/store/memory_store.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/hash.h"
#include "bucketline/store/list_page.h"
#include "bucketline/store/read_rules.h"
#include "bucketline/store/store_threads.h"

namespace bucketline {
namespace {

constexpr size_t kMaxKeyBytes = 1024;  // S3's limit
constexpr size_t kThreads = 2;

void CheckKey(const std::string& key, const std::string& uri) {
  if (!key.empty() && key.size() <= kMaxKeyBytes) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("a key has 1 to {} bytes, this one {}", kMaxKeyBytes, key.size()), uri);
}

struct Object {
  ObjectInfo info;
  std::vector<uint8_t> data;
};

// The objects; readers keep theirs alive while writers replace them.
class ObjectMap {
 public:
  std::shared_ptr<const Object> Find(const std::string& key) const {
    std::lock_guard lock(mutex_);
    const auto it = objects_.find(key);
    if (it == objects_.end()) throw Error(ErrorCode::kNotFound, "no such object");
    return it->second;
  }

  void Put(std::shared_ptr<const Object> object, bool if_absent, const std::string& uri) {
    std::lock_guard lock(mutex_);
    if (if_absent && objects_.contains(object->info.key)) {
      throw Error(ErrorCode::kAlreadyExists, "the object exists already and was not replaced", uri);
    }
    objects_[object->info.key] = std::move(object);
  }

  void Erase(const std::string& key) {
    std::lock_guard lock(mutex_);
    objects_.erase(key);
  }

  std::optional<ObjectInfo> LowerBound(const std::string& from) const {
    std::lock_guard lock(mutex_);
    const auto it = objects_.lower_bound(from);
    if (it == objects_.end()) return std::nullopt;
    return it->second->info;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Object>> objects_;
};

class MapCursor : public KeyCursor {
 public:
  MapCursor(const ObjectMap& objects, const CallStop& stop, const std::string& uri)
      : objects_(objects), stop_(stop), uri_(uri) {}

  std::optional<ObjectInfo> Seek(const std::string& from) override {
    stop_.Check(uri_);
    return objects_.LowerBound(from);
  }

 private:
  const ObjectMap& objects_;
  const CallStop& stop_;
  const std::string& uri_;
};

class MemoryWriter : public ObjectWriter {
 public:
  MemoryWriter(std::shared_ptr<ObjectMap> objects, std::string key, bool if_absent, std::string uri)
      : objects_(std::move(objects)), if_absent_(if_absent), uri_(std::move(uri)) {
    object_->info.key = std::move(key);
  }

  void Write(std::span<const uint8_t> data) override {
    CheckOpen();
    object_->data.insert(object_->data.end(), data.begin(), data.end());
  }

  ObjectInfo Commit() override {
    CheckOpen();
    const std::shared_ptr<Object> object = std::move(object_);
    const std::string_view bytes(reinterpret_cast<const char*>(object->data.data()), object->data.size());
    object->info.size = bytes.size();
    object->info.etag = fmt::format("\"{}\"", Hex(Md5(bytes)));
    object->info.last_modified = Clock::Real().WallNow();
    objects_->Put(object, if_absent_, uri_);
    return object->info;
  }

  void Abort() override { object_.reset(); }

 private:
  void CheckOpen() const {
    if (!object_)
      throw Error(ErrorCode::kInvalidArgument, "the writer was committed or aborted before", uri_);
  }

  const std::shared_ptr<ObjectMap> objects_;
  std::shared_ptr<Object> object_ = std::make_shared<Object>();
  const bool if_absent_;
  const std::string uri_;
};

class MemoryStore : public ObjectStore {
 public:
  explicit MemoryStore(std::string name) : name_(std::move(name)) {}

  void List(ListRequest request, std::function<void(Result<ListPage>)> done) override {
    const std::string uri = UriOf(request.prefix);
    const std::stop_token stop = request.stop;
    threads_.Call(
        stop, uri,
        [this, uri, request = std::move(request)](const CallStop& call_stop) {
          CheckListRequest(request);
          MapCursor cursor(*objects_, call_stop, uri);
          return MakeListPage(request, cursor);
        },
        std::move(done));
  }

  void Get(GetRequest request, std::shared_ptr<GetSink> sink,
           std::function<void(Result<ObjectInfo>)> done) override {
    const std::string uri = UriOf(request.key);
    const std::stop_token stop = request.stop;
    threads_.Call(
        stop, uri,
        [this, uri, request = std::move(request), sink = std::move(sink)](const CallStop& call_stop) {
          CheckKey(request.key, uri);
          const std::shared_ptr<const Object> object = objects_->Find(request.key);
          const uint64_t length = LengthToRead(request, object->info);
          const std::span<uint8_t> memory = BeginRead(*sink, length, object->info);
          call_stop.Check(uri);
          std::copy_n(object->data.begin() + static_cast<ptrdiff_t>(request.offset), length, memory.begin());
          return object->info;
        },
        std::move(done));
  }

  void Head(std::string key, std::function<void(Result<ObjectInfo>)> done) override {
    const std::string uri = UriOf(key);
    threads_.Call(
        {}, uri,
        [this, uri, key = std::move(key)](const CallStop&) {
          CheckKey(key, uri);
          return ObjectInfo(objects_->Find(key)->info);
        },
        std::move(done));
  }

  void Delete(std::string key, std::function<void(Result<void>)> done) override {
    const std::string uri = UriOf(key);
    threads_.Call(
        {}, uri,
        [this, uri, key = std::move(key)](const CallStop&) {
          CheckKey(key, uri);
          objects_->Erase(key);
        },
        std::move(done));
  }

  std::unique_ptr<ObjectWriter> OpenWriter(std::string key, WriteCondition condition) override {
    std::string uri = UriOf(key);
    CheckKey(key, uri);
    return std::make_unique<MemoryWriter>(objects_, std::move(key), condition.if_absent, uri);
  }

  std::string UriOf(std::string_view key) const override { return fmt::format("mem://{}/{}", name_, key); }

 private:
  const std::string name_;
  const std::shared_ptr<ObjectMap> objects_ = std::make_shared<ObjectMap>();  // shared with writers
  StoreThreads threads_{kThreads, "bl-memstore"};                             // last: its work uses the rest
};

}  // namespace

std::unique_ptr<ObjectStore> MakeMemoryStore(std::string name) {
  return std::make_unique<MemoryStore>(std::move(name));
}

}  // namespace bucketline
