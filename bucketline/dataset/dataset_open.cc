#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/braces.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/dataset_state.h"
#include "bucketline/dataset/key_filter.h"
#include "bucketline/dataset/parallel.h"
#include "bucketline/dataset/pinning.h"
#include "bucketline/dataset/source.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr uint64_t kLargestManifest = uint64_t{16} << 30;
constexpr size_t kListings = 8;  // at a time; each holds some tens of megabytes

// A folder may be given with or without its last "/"; keys below it have one.
Uri PrefixOf(std::string_view text) {
  Uri uri = Uri::Parse(text);
  if (uri.scheme == "file" && !uri.key.ends_with('/')) uri.key += '/';
  return uri;
}

ListPage NextPage(ObjectStore& store, const ListRequest& request, PinMode pin) {
  try {
    return ListOnePage(store, request);
  } catch (const Error& error) {
    throw ExplainPin(error, pin);
  }
}

// `options.listing_progress` is told of each page's objects.
Manifest ListManifest(ObjectStore& store, const Uri& uri, const DatasetOptions& options) {
  ListRequest request;
  request.prefix = Runtime::KeyOf(uri);
  request.stop = options.stop;
  request.versions = options.pin == PinMode::kVersion;
  ManifestBuilder builder(uri.ToString());
  KeyFilter filter(options.extensions, options.folder_markers);
  do {
    ListPage page = NextPage(store, request, options.pin);
    for (ObjectInfo& object : page.objects) {
      if (!filter.Accept(object)) continue;
      Record record{.key = object.key, .parts = {}};
      record.parts.push_back({.object_key = std::move(object.key),
                              .offset = 0,
                              .length = object.size,
                              .object_size = object.size,
                              .etag = std::move(object.etag),
                              .version = std::move(object.version)});
      builder.Add(std::move(record));
    }
    if (options.listing_progress) options.listing_progress(page.objects.size());
    request.token = std::move(page.next_token);
  } while (!request.token.empty());
  filter.CheckSomethingCame(uri.ToString());
  return std::move(builder).Build();
}

Manifest ReadManifest(ObjectStore& store, const Uri& uri, std::stop_token stop) {
  GetRequest request;
  request.key = Runtime::KeyOf(uri);
  request.stop = std::move(stop);
  const Bytes saved = GetBytes(store, std::move(request), kLargestManifest);
  Result<Manifest> opened = Catch([&] { return Manifest::FromBytes(saved); });
  if (!opened) throw opened.error().WithUri(uri.ToString());
  return *std::move(opened);
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

Source OpenSource(Runtime& runtime, std::string_view text, const DatasetOptions& options) {
  Uri uri = Uri::Parse(text);
  Source source;
  std::shared_ptr<ObjectStore> store;
  if (uri.key.ends_with(".manifest")) {
    source.manifest = ReadManifest(*StoreOf(runtime, uri, options), uri, options.stop);
    if (options.pin == PinMode::kVersion && !source.manifest.has_versions()) {
      throw Error(ErrorCode::kInvalidArgument,
                  "the manifest was saved without versions; list the data anew, or open it with pin=\"etag\"",
                  uri.ToString());
    }
    store = StoreOf(runtime, Uri::Parse(source.manifest.source()), options);
  } else {
    uri = PrefixOf(text);
    store = StoreOf(runtime, uri, options);
    source.manifest = ListManifest(*store, uri, options);
  }
  source.stores.assign(source.manifest.part_names().size(), {.store = std::move(store), .pin = options.pin});
  return source;
}

Dataset Dataset::Open(Runtime& runtime, std::string_view uri, DatasetOptions options) {
  options = WithSharedProgress(std::move(options));
  std::vector<Source> sources = {OpenSource(runtime, uri, options)};
  const uint64_t dropped = LabelSources(runtime, options, &sources);
  return Dataset(State::Whole(&runtime, std::move(sources), dropped));
}

Dataset Dataset::OpenAll(Runtime& runtime, const std::vector<std::string>& uris, DatasetOptions options) {
  options = WithSharedProgress(std::move(options));
  std::vector<std::string> all;
  for (const std::string& uri : uris) {
    for (std::string& one : ExpandBraces(uri)) all.push_back(std::move(one));
  }
  if (all.empty())
    throw Error(ErrorCode::kInvalidArgument, "a dataset needs at least one URI, and none is given");
  std::vector<Source> sources(all.size());
  RunParallel(all.size(), kListings, [&](size_t i) { sources[i] = OpenSource(runtime, all[i], options); });
  const uint64_t dropped = LabelSources(runtime, options, &sources);
  std::vector<Dataset> datasets;
  datasets.reserve(sources.size());
  for (Source& source : sources) {
    datasets.push_back(Dataset(State::Whole(&runtime, {std::move(source)}, datasets.empty() ? dropped : 0)));
  }
  return Concat(datasets, options.repeats);
}

}  // namespace bucketline
