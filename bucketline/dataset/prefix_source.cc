#include "bucketline/dataset/prefix_source.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/key_filter.h"
#include "bucketline/dataset/object_pages.h"
#include "bucketline/dataset/shard_index.h"
#include "bucketline/records/shard_format.h"

namespace bucketline {
namespace {

Record RawRecord(ObjectInfo object) {
  Record record{.key = object.key, .parts = {}};
  record.parts.push_back({.object_key = std::move(object.key),
                          .offset = 0,
                          .length = object.size,
                          .object_size = object.size,
                          .etag = std::move(object.etag),
                          .version = std::move(object.version)});
  return record;
}

// Puts pages, in whatever order they come, where they belong.
class PrefixListing {
 public:
  PrefixListing(std::shared_ptr<ObjectStore> store, const Uri& uri, const DatasetOptions& options)
      : store_(std::move(store)),
        uri_(uri),
        options_(options),
        builder_(uri.ToString()),
        filter_(options.extensions, options.folder_markers) {}

  void Add(std::vector<ObjectInfo> objects) {
    if (options_.listing_progress) options_.listing_progress(objects.size());
    for (ObjectInfo& object : objects) {
      if (filter_.Accept(object)) {
        builder_.Add(RawRecord(std::move(object)));
      } else if (options_.format == "auto" && filter_.accepted() == 0 &&
                 ShardFormatOf(object.key) != nullptr) {
        shards_.push_back(std::move(object));
      }
    }
  }

  Source Finish(Runtime& runtime) && {
    if (filter_.accepted() == 0 && !shards_.empty()) return IndexShards(runtime, Shards(), options_);
    filter_.CheckSomethingCame(uri_.ToString());
    return {.manifest = std::move(builder_).Build(), .stores = {{.store = store_, .pin = options_.pin}}};
  }

 private:
  // All of one format, or an error.
  ShardSet Shards() {
    std::sort(shards_.begin(), shards_.end(),
              [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; });
    const ShardFormat* format = ShardFormatOf(shards_.front().key);
    for (const ObjectInfo& shard : shards_) {
      if (const ShardFormat* other = ShardFormatOf(shard.key); other != format) {
        throw Error(ErrorCode::kInvalidArgument,
                    fmt::format("{} and {} shards are here; say by the format which are wanted", format->name,
                                other->name),
                    uri_.ToString());
      }
    }
    return {.format = format, .store = store_, .source = uri_.ToString(), .objects = std::move(shards_)};
  }

  const std::shared_ptr<ObjectStore> store_;
  const Uri& uri_;
  const DatasetOptions& options_;
  ManifestBuilder builder_;
  KeyFilter filter_;
  std::vector<ObjectInfo> shards_;
};

}  // namespace

Source ListPrefix(Runtime& runtime, const Uri& uri, const DatasetOptions& options) {
  const std::shared_ptr<ObjectStore> store = StoreOf(runtime, uri, options);
  PrefixListing listing(store, uri, options);
  ForEachPageInAnyOrder(*store, uri, {KeyRange()}, options,
                        [&](ListedRange listed) { listing.Add(std::move(listed.objects)); });
  return std::move(listing).Finish(runtime);
}

}  // namespace bucketline
