#include "bucketline/dataset/shard_listing.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/object_pages.h"
#include "bucketline/exec/parallel.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr size_t kListings = 16;  // at a time

bool IsPrefix(const Uri& uri) { return uri.key.empty() || uri.key.ends_with('/'); }

std::vector<ObjectInfo> ShardsOf(ObjectStore& store, const Uri& uri, const ShardFormat& format,
                                 const DatasetOptions& options) {
  const std::string key = Runtime::KeyOf(uri);
  const std::string below =
      uri.scheme == "file" && !IsPrefix(uri) ? key + "/" : key;  // a folder's "/" may be left out
  // Asking for one needs no right to list, which public buckets often do not give.
  if (!IsPrefix(uri) && options.pin != PinMode::kVersion) {
    Result<ObjectInfo> one = Catch([&] { return HeadObject(store, key, options.stop); });
    if (one) return {*std::move(one)};
    if (one.error().code() != ErrorCode::kNotFound) throw one.error();
  }
  std::vector<ObjectInfo> shards;
  bool exact = false;
  ForEachPage(store, key, options, [&](std::vector<ObjectInfo> objects) {
    for (ObjectInfo& object : objects) {
      // The key itself comes before all that it begins.
      exact = exact || (!IsPrefix(uri) && object.key == key);
      const bool owns = format.owns(object.key) && object.key.starts_with(below);
      if (exact || owns) shards.push_back(std::move(object));
      if (exact) return false;
    }
    return true;
  });
  if (!shards.empty()) return shards;
  throw Error(
      ErrorCode::kNotFound,
      fmt::format("there is no {} shard here; check the spelling, and whether the names end as those of such "
                  "shards do",
                  format.name),
      uri.ToString());
}

// The folder, or the prefix, that all of them lie below.
std::string CommonSource(const std::vector<Uri>& uris) {
  Uri common = uris.front();
  for (const Uri& uri : uris) {
    const auto [end, other] =
        std::mismatch(common.key.begin(), common.key.end(), uri.key.begin(), uri.key.end());
    common.key.erase(end, common.key.end());
  }
  common.key.erase(common.key.rfind('/') + 1);
  if (common.key.empty() && common.scheme == "file") common.key = "./";
  return common.ToString();
}

}  // namespace

const ShardFormat* AskedFormat(const DatasetOptions& options) {
  if (options.format == "auto" || options.format == "objects") return nullptr;
  if (options.format == "tfds") return FindShardFormat("tfrecord");
  if (const ShardFormat* format = FindShardFormat(options.format)) return format;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("format must be one of auto | objects | tfds | {}, not \"{}\"", ShardFormatNames(),
                          options.format));
}

const ShardFormat* FormatOfUri(const Uri& uri, const DatasetOptions& options) {
  if (uri.key.ends_with(".manifest")) return nullptr;
  if (const ShardFormat* asked = AskedFormat(options)) return asked;
  return options.format == "auto" ? ShardFormatOf(uri.key) : nullptr;
}

ShardSet ListShards(Runtime& runtime, const std::vector<Uri>& uris, const ShardFormat& format,
                    const DatasetOptions& options) {
  ShardSet set{.format = &format,
               .store = StoreOf(runtime, uris.front(), options),
               .source = CommonSource(uris),
               .objects = {}};
  std::vector<std::vector<ObjectInfo>> found(uris.size());
  RunParallel(uris.size(), kListings,
              [&](size_t i) { found[i] = ShardsOf(*set.store, uris[i], format, options); });
  for (std::vector<ObjectInfo>& shards : found)
    std::move(shards.begin(), shards.end(), std::back_inserter(set.objects));
  return set;
}

}  // namespace bucketline
