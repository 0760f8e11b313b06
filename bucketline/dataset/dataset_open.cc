#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/braces.h"
#include "bucketline/dataset/channel_place.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/dataset_state.h"
#include "bucketline/dataset/prefix_source.h"
#include "bucketline/dataset/saved_manifest.h"
#include "bucketline/dataset/shard_index.h"
#include "bucketline/dataset/shard_listing.h"
#include "bucketline/dataset/source.h"
#include "bucketline/dataset/tfds_source.h"
#include "bucketline/exec/parallel.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr size_t kListings = 8;  // at a time; each holds some tens of megabytes

// A folder may be given with or without its last "/"; keys below it have one.
Uri PrefixOf(std::string_view text) {
  Uri uri = Uri::Parse(text);
  if (uri.scheme == "file" && !uri.key.ends_with('/')) uri.key += '/';
  return uri;
}

Source OpenManifest(Runtime& runtime, const Uri& uri, const DatasetOptions& options) {
  Source source{.manifest = ReadManifest(runtime, uri, options), .stores = {}};
  if (options.pin == PinMode::kVersion && !source.manifest.has_versions()) {
    throw Error(ErrorCode::kInvalidArgument,
                "the manifest was saved without versions; list the data anew, or open it with pin=\"etag\"",
                uri.ToString());
  }
  source.stores.assign(
      source.manifest.part_names().size(),
      {.store = StoreOf(runtime, Uri::Parse(source.manifest.source()), options), .pin = options.pin});
  return source;
}

std::string Located(std::string_view uri) {
  return FolderOfChannel(uri, [](const char* name) { return std::getenv(name); });
}

// The options with one count of the objects that several listings, on several threads, have seen.
DatasetOptions WithSharedProgress(DatasetOptions options) {
  if (!options.listing_progress) return options;
  struct Progress {
    std::mutex mutex;
    uint64_t objects = 0;
  };
  options.listing_progress = [shared = std::make_shared<Progress>(),
                              tell = options.listing_progress](uint64_t page) {
    std::lock_guard lock(shared->mutex);
    tell(shared->objects += page);
  };
  return options;
}

}  // namespace

std::shared_ptr<ObjectStore> StoreOf(Runtime& runtime, const Uri& uri, const DatasetOptions& options) {
  return options.s3 ? runtime.StoreFor(uri, *options.s3) : runtime.StoreFor(uri);
}

std::vector<SourceUris> GroupUris(const std::vector<std::string>& uris, const DatasetOptions& options) {
  static_cast<void>(AskedFormat(options));  // throws now
  std::vector<SourceUris> groups;
  std::vector<Uri> first;  // of each group
  for (const std::string& text : uris) {
    const Uri uri = Uri::Parse(text);
    const ShardFormat* format = FormatOfUri(uri, options);
    const bool joins = !groups.empty() && options.format != "tfds" && format != nullptr &&
                       FormatOfUri(first.back(), options) == format && first.back().scheme == uri.scheme &&
                       first.back().bucket == uri.bucket &&
                       std::find(groups.back().begin(), groups.back().end(), text) == groups.back().end();
    if (joins) {
      groups.back().push_back(text);
    } else {
      groups.push_back({text});
      first.push_back(uri);
    }
  }
  return groups;
}

Source OpenSource(Runtime& runtime, const SourceUris& uris, const DatasetOptions& options) {
  const Uri uri = Uri::Parse(uris.front());
  if (options.listing.any() && (options.format == "tfds" || uri.key.ends_with(".manifest") ||
                                FormatOfUri(uri, options) != nullptr || uris.size() > 1)) {
    throw Error(
        ErrorCode::kUnsupported,
        "only the listing of a prefix of objects can be resumed, refreshed or taken from an inventory",
        uris.front());
  }
  if (uri.key.ends_with(".manifest")) return OpenManifest(runtime, uri, options);
  if (options.format == "tfds") return OpenTfds(runtime, PrefixOf(uris.front()), options);
  if (!options.split.empty()) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("split=\"{}\" is for format=\"tfds\"; other data is divided by Split", options.split),
        uris.front());
  }
  const ShardFormat* format = FormatOfUri(uri, options);
  if (format == nullptr) return ListPrefix(runtime, PrefixOf(uris.front()), options);
  std::vector<Uri> parsed;
  for (const std::string& text : uris) parsed.push_back(Uri::Parse(text));
  return IndexShards(runtime, ListShards(runtime, parsed, *format, options), options);
}

Dataset Dataset::Open(Runtime& runtime, std::string_view uri, DatasetOptions options) {
  options = WithSharedProgress(std::move(options));
  static_cast<void>(AskedFormat(options));  // throws now
  std::vector<Source> sources = {OpenSource(runtime, {Located(uri)}, options)};
  const uint64_t dropped = sources.front().left_out + LabelSources(runtime, options, &sources);
  return Dataset(State::Whole(&runtime, std::move(sources), dropped));
}

Dataset Dataset::OpenAll(Runtime& runtime, const std::vector<std::string>& uris, DatasetOptions options) {
  options = WithSharedProgress(std::move(options));
  std::vector<std::string> all;
  for (const std::string& uri : uris) {
    for (const std::string& one : ExpandBraces(uri)) all.push_back(Located(one));
  }
  if (all.empty())
    throw Error(ErrorCode::kInvalidArgument, "a dataset needs at least one URI, and none is given");
  const std::vector<SourceUris> groups = GroupUris(all, options);
  if (options.listing.any() && groups.size() > 1) {
    throw Error(
        ErrorCode::kUnsupported,
        "a listing that is resumed, refreshed or taken from an inventory is of one prefix, and these are "
        "several",
        all.front());
  }
  if (groups.size() > 1) options.listing_left = {};
  std::vector<Source> sources(groups.size());
  RunParallel(groups.size(), kListings,
              [&](size_t i) { sources[i] = OpenSource(runtime, groups[i], options); });
  uint64_t dropped = LabelSources(runtime, options, &sources);
  std::vector<Dataset> datasets;
  datasets.reserve(sources.size());
  for (Source& source : sources) {
    dropped += source.left_out;
    datasets.push_back(Dataset(State::Whole(&runtime, {std::move(source)}, std::exchange(dropped, 0))));
  }
  return Concat(datasets, options.repeats);
}

}  // namespace bucketline
