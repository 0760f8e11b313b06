#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/dataset_state.h"
#include "bucketline/dataset/key_filter.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr uint64_t kLargestManifest = uint64_t{16} << 30;
constexpr uint64_t kLargestLabelTable = uint64_t{1} << 30;

std::shared_ptr<ObjectStore> StoreOf(Runtime& runtime, const Uri& uri, const DatasetOptions& options) {
  return options.s3 ? runtime.StoreFor(uri, *options.s3) : runtime.StoreFor(uri);
}

// A folder may be given with or without its last "/"; keys below it have one.
Uri PrefixOf(std::string_view text) {
  Uri uri = Uri::Parse(text);
  if (uri.scheme == "file" && !uri.key.ends_with('/')) uri.key += '/';
  return uri;
}

Manifest ListManifest(ObjectStore& store, const Uri& uri, const DatasetOptions& options) {
  ListRequest request;
  request.prefix = Runtime::KeyOf(uri);
  request.stop = options.stop;
  ManifestBuilder builder(uri.ToString());
  KeyFilter filter(options.extensions);
  uint64_t listed = 0;
  do {
    ListPage page = ListOnePage(store, request);
    for (ObjectInfo& object : page.objects) {
      if (!filter.Accept(object)) continue;
      Record record{.key = object.key, .parts = {}};
      record.parts.push_back({.object_key = std::move(object.key),
                              .offset = 0,
                              .length = object.size,
                              .object_size = object.size,
                              .etag = std::move(object.etag)});
      builder.Add(std::move(record));
    }
    listed += page.objects.size();
    request.token = std::move(page.next_token);
    if (options.listing_progress) options.listing_progress(listed);
  } while (!request.token.empty());
  filter.CheckSomethingCame(uri.ToString());
  return std::move(builder).Build();
}

// Labels are relative to a folder. A prefix that all keys continue with "/" names one; any other ends within
// a name, and its folder is what comes before that.
std::string LabelPrefix(const Manifest& manifest, std::string prefix) {
  if (prefix.empty() || prefix.ends_with('/')) return prefix;
  const std::string folder = prefix + "/";
  // Keys are in order and share the prefix: those of the folder are neighbours.
  if (manifest.Key(0).starts_with(folder) && manifest.Key(manifest.size() - 1).starts_with(folder))
    return folder;
  return prefix.substr(0, prefix.rfind('/') + 1);  // "" without a "/"
}

Manifest WithLabels(Runtime& runtime, const Manifest& manifest, const DatasetOptions& options) {
  const Labels& labels = options.labels;
  if (labels.is_none()) return manifest;
  Bytes table;
  if (!labels.table_uri().empty()) {
    const Uri uri = Uri::Parse(labels.table_uri());
    GetRequest request;
    request.key = Runtime::KeyOf(uri);
    request.stop = options.stop;
    table = GetBytes(*StoreOf(runtime, uri, options), std::move(request), kLargestLabelTable);
  }
  const std::string prefix = LabelPrefix(manifest, Runtime::KeyOf(Uri::Parse(manifest.source())));
  return manifest.WithLabels(labels.Resolve(manifest, prefix, table.view()));
}

}  // namespace

Dataset Dataset::Open(Runtime& runtime, std::string_view text, DatasetOptions options) {
  auto state = std::make_shared<State>();
  state->runtime = &runtime;
  state->pin = options.pin;
  Uri uri = Uri::Parse(text);
  if (uri.key.ends_with(".manifest")) {
    GetRequest request;
    request.key = Runtime::KeyOf(uri);
    request.stop = options.stop;
    const Bytes saved = GetBytes(*StoreOf(runtime, uri, options), request, kLargestManifest);
    const Result<Manifest> opened = Catch([&] { return Manifest::FromBytes(saved); });
    if (!opened) throw opened.error().WithUri(text);
    state->manifest = *opened;
    state->store = StoreOf(runtime, Uri::Parse(state->manifest.source()), options);
  } else {
    uri = PrefixOf(text);
    state->store = StoreOf(runtime, uri, options);
    state->manifest = ListManifest(*state->store, uri, options);
  }
  state->manifest = WithLabels(runtime, state->manifest, options);
  state->count = state->manifest.size();
  return Dataset(std::move(state));
}

}  // namespace bucketline
