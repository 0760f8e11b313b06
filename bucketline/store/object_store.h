// ObjectStore: objects under keys, asynchronously. Implemented by files, memory and S3, all behaving alike.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/base/bytes.h"
#include "bucketline/base/clock.h"
#include "bucketline/base/result.h"

namespace bucketline {

struct ObjectInfo {
  std::string key;
  uint64_t size = 0;
  std::string etag;  // as the store gives it, with its quotes; compared, never computed. A file's is made of
                     // inode, size and mtime
  WallTime last_modified{};
  std::string version = {};  // where versions are kept, else ""; a listing tells it only when it was asked to
};

struct ListRequest {
  std::string prefix = {};       // keys that start with these bytes; "" for all
  std::string delimiter = {};    // "" or "/": keys with it after the prefix are rolled up into `prefixes`
  std::string start_after = {};  // only keys bytewise after this one; ignored when there is a token
  std::string token = {};        // of the previous page, opaque ASCII; "" for the first
  int max_keys = 1000;           // 1..1000, objects and prefixes together
  // Each object's current version too (then a page may have few objects or none, and still not be the last).
  // kUnsupported where a store, or a bucket, keeps no versions.
  bool versions = false;
  std::stop_token stop = {};
};

struct ListPage {
  std::vector<ObjectInfo> objects;    // bytewise ascending by key
  std::vector<std::string> prefixes;  // with the delimiter at the end
  std::string next_token;             // "" on the last page
};

// Which state of an object a read must see; anything else is kObjectChanged.
struct Pin {
  std::string etag = {};              // "" for any
  std::optional<uint64_t> size = {};  // of the whole object
  // As a listing with `versions` gave it, "" for the current one: read also when it is no longer that.
  // kUnsupported where no versions are kept.
  std::string version = {};
};

struct GetRequest {
  std::string key;
  uint64_t offset = 0;
  // Absent: to the end. A range that reaches beyond the end is kInvalidArgument. An empty range (length 0, or
  // to the end from offset == size) is a success, with Begin(0, ...), when offset <= size.
  std::optional<uint64_t> length = {};
  Pin pin = {};
  // False: a cache on the way need not keep the bytes, since the reader keeps what it makes of them.
  bool keep = true;
  std::stop_token stop = {};
};

// Where the bytes of one Get go. Called from one thread at a time.
class GetSink {
 public:
  virtual ~GetSink() = default;
  // Before the first byte of each attempt: `size` bytes will come, of an object with this ETag and whole
  // size. Gives the memory, exactly `size` long, valid until the Get is done; an Error ends the Get with it.
  // After a failed attempt it is called again, with the same size and ETag, and must give memory again (the
  // same is fine): a store retries inside one Get.
  virtual Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo& object) = 0;

  // For a store that asks for the same bytes twice when an answer is late: a sink with memory of its own, or
  // nullptr (the default) when there is no room at once. May be called while Begin is, on another thread. The
  // store lets go of it before the Get is done, and nobody writes to it then.
  virtual std::shared_ptr<GetSink> Second() { return nullptr; }
  // Makes the bytes of a whole read into `second`, which Second() gave, those of this sink: the two exchange their memory.
  virtual void TakeFrom(GetSink& second) { static_cast<void>(second); }

  // Told by a cache, once the bytes are there and before the Get is done: whether they came from it, or might have but did not.
  virtual void NoteCache(bool hit) { static_cast<void>(hit); }
};

struct WriteCondition {
  bool if_absent = false;  // fail with kAlreadyExists when the key exists at commit
  std::string content_type = {};
  std::stop_token stop =
      {};  // ends waits of Write and Commit soon, with kCancelled; the object may be there or not
};

// Writes one object. Not thread-safe. Nothing is visible before Commit; an object that existed stays whole
// until then. Destroying an uncommitted writer aborts it. Write and Commit after Commit or Abort are
// kInvalidArgument; Abort is then without effect. Must not outlive its store.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual void Write(std::span<const uint8_t> data) = 0;  // may block for room; throws Error
  virtual ObjectInfo Commit() = 0;  // blocks until it is visible; throws Error, then aborted
  virtual void Abort() = 0;         // nothing of it remains; never throws
};

// Thread-safe. List, Get, Head and Delete never block; each calls `done` exactly once, never inside the call
// itself, on a thread of the store, which the callback must not keep (hand work over instead). A stop request
// ends a call soon with kCancelled. Destroying a store cancels what runs and returns when every `done` has
// been called; so a `done` must not destroy its store. It may begin other calls.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Keys that no page shows: none. A missing bucket or folder is kNotFound; an empty result is a success.
  virtual void List(ListRequest request, std::function<void(Result<ListPage>)> done) = 0;

  // Fills exactly the requested range or fails. kNotFound, kObjectChanged (pin), kInvalidArgument (range),
  // ...
  virtual void Get(GetRequest request, std::shared_ptr<GetSink> sink,
                   std::function<void(Result<ObjectInfo>)> done) = 0;

  virtual void Head(std::string key, std::function<void(Result<ObjectInfo>)> done) = 0;

  // Deleting what is not there is a success.
  virtual void Delete(std::string key, std::function<void(Result<void>)> done) = 0;

  // Throws kInvalidArgument for a key that the store cannot hold.
  virtual std::unique_ptr<ObjectWriter> OpenWriter(std::string key, WriteCondition condition = {}) = 0;

  // Two ranges of an object with at most so many bytes between them cost less as one Get. Absent: each range is best
  // read by itself.
  virtual std::optional<uint64_t> joinable_gap() const { return std::nullopt; }

  // The URI of a key, for errors and logs: "s3://bucket/key".
  virtual std::string UriOf(std::string_view key) const = 0;
};

}  // namespace bucketline
