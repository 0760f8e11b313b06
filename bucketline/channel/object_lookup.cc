#include "bucketline/channel/object_lookup.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/exec/parallel.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr size_t kAtOnce = 64;        // requests
constexpr size_t kChunk = 4096;       // objects whose answers are kept before they are packed
constexpr size_t kLeastListed = 500;  // objects for which a listing is tried
constexpr size_t kLeastHits = 50;     // of them on a page, or the rest of them is not listed
constexpr size_t kMostObjects = size_t{1} << 31;

Error AtPlace(const Error& error, const std::string& place) {
  return Error(error.code(), fmt::format("{} ({} names it)", error.message(), place), error.uri(),
               error.http_status(), error.request_id());
}

class Finder {
 public:
  Finder(Runtime& runtime, const TextPool& uris, const std::function<std::string(size_t)>& place,
         const DatasetOptions& options)
      : runtime_(runtime), uris_(uris), place_(place), options_(options) {}

  FoundObjects Find() {
    Sort();
    std::vector<Dataset> datasets;
    for (size_t first = 0; first < firsts_.size();) {
      const Uri uri = UriOf(first);
      size_t end = first + 1;
      while (end < firsts_.size() && SameStore(uri, UriOf(end))) ++end;
      datasets.push_back(FindIn(uri, first, end));
      first = end;
    }
    return {.objects = Dataset::Concat(datasets, Repeats::kAllow), .numbers = std::move(numbers_)};
  }

 private:
  // Gives equal URIs one number, in the order of the URIs; firsts_ has the first place of each.
  void Sort() {
    if (uris_.size() > kMostObjects) {
      throw Error(ErrorCode::kUnsupported, "more than 2^31 objects are named");
    }
    std::vector<uint32_t> order(uris_.size());
    std::iota(order.begin(), order.end(), uint32_t{0});
    std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return uris_[a] < uris_[b]; });
    numbers_.resize(uris_.size());
    for (const uint32_t index : order) {
      if (firsts_.empty() || uris_[firsts_.back()] != uris_[index]) firsts_.push_back(index);
      numbers_[index] = static_cast<uint32_t>(firsts_.size() - 1);
    }
  }

  Uri UriOf(size_t number) const {
    const std::string_view text = uris_[firsts_[number]];
    try {
      Uri uri = Uri::Parse(text);
      if (uri.key.empty())
        throw Error(ErrorCode::kInvalidArgument, "this is a bucket, not an object", std::string(text));
      return uri;
    } catch (const Error& error) {
      throw AtPlace(error.WithUri(text), place_(firsts_[number]));
    }
  }

  static bool SameStore(const Uri& a, const Uri& b) {
    const bool files = a.scheme == "file" && a.key.starts_with('/') == b.key.starts_with('/');
    return a.scheme == b.scheme && a.bucket == b.bucket && (a.scheme != "file" || files);
  }

  Dataset FindIn(const Uri& one, size_t begin, size_t end) {
    Uri root = one;
    root.key = one.scheme == "file" && one.key.starts_with('/') ? "/" : "";
    if (one.scheme == "file" && root.key.empty()) root.key = ".";
    const std::shared_ptr<ObjectStore> store =
        options_.s3 ? runtime_.StoreFor(one, *options_.s3) : runtime_.StoreFor(one);
    ManifestBuilder builder(root.ToString());
    for (size_t first = begin; first < end; first += kChunk) {
      for (ObjectInfo& object : FindChunk(*store, first, std::min(kChunk, end - first))) {
        Record record{.key = object.key, .parts = {}};
        record.parts.push_back({.object_key = std::move(object.key),
                                .offset = 0,
                                .length = object.size,
                                .object_size = object.size,
                                .etag = std::move(object.etag)});
        builder.Add(std::move(record));
      }
      found_ += std::min(kChunk, end - first);
      if (options_.listing_progress) options_.listing_progress(found_);
    }
    return Dataset::Of(runtime_, std::move(builder).Build(), options_);
  }

  std::vector<ObjectInfo> FindChunk(ObjectStore& store, size_t first, size_t count) const {
    std::vector<ObjectInfo> found(count);  // without a key until it is found
    const size_t listings = count / kLeastListed;
    RunParallel(listings, kAtOnce, [&](size_t i) {
      const size_t begin = i * count / listings;
      ListSome(store, first + begin, std::span(found).subspan(begin, (i + 1) * count / listings - begin));
    });
    RunParallel(count, kAtOnce, [&](size_t i) {
      if (found[i].key.empty()) found[i] = Head(store, first + i);
    });
    return found;
  }

  // Finds objects by listing from the first of them on, as long as a page has enough of them: one request instead of many.
  // What is not found, for whatever reason, is asked for by itself.
  void ListSome(ObjectStore& store, size_t first, std::span<ObjectInfo> found) const {
    const auto key_of = [&](size_t i) { return Runtime::KeyOf(UriOf(first + i)); };
    found[0] = Head(store, first);
    const std::string last = key_of(found.size() - 1);
    ListRequest request;
    request.prefix = found[0].key.substr(0, CommonPrefix(found[0].key, last));
    request.start_after = found[0].key;
    request.stop = options_.stop;
    size_t next = 1;
    for (size_t hits = kLeastHits; hits >= kLeastHits && next < found.size();) {
      const Result<ListPage> page = Catch([&] { return ListOnePage(store, request); });
      if (!page || page->objects.empty()) return;
      hits = 0;
      for (const ObjectInfo& object : page->objects) {
        while (next < found.size() && key_of(next) < object.key) ++next;
        if (next == found.size() || key_of(next) != object.key) continue;
        found[next++] = object;
        ++hits;
      }
      request.token = page->next_token;
      if (request.token.empty()) return;
    }
  }

  static size_t CommonPrefix(std::string_view a, std::string_view b) {
    const size_t most = std::min(a.size(), b.size());
    return static_cast<size_t>(std::mismatch(a.begin(), a.begin() + most, b.begin()).first - a.begin());
  }

  ObjectInfo Head(ObjectStore& store, size_t number) const {
    const std::string key = Runtime::KeyOf(UriOf(number));
    try {
      ObjectInfo object = HeadObject(store, key, options_.stop);
      object.key = key;
      return object;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kCancelled) throw;
      throw AtPlace(error.WithUri(store.UriOf(key)), place_(firsts_[number]));
    }
  }

  Runtime& runtime_;
  const TextPool& uris_;
  const std::function<std::string(size_t)>& place_;
  const DatasetOptions& options_;
  std::vector<uint32_t> firsts_;
  std::vector<uint32_t> numbers_;
  uint64_t found_ = 0;
};

}  // namespace

FoundObjects FindObjects(Runtime& runtime, const TextPool& uris,
                         const std::function<std::string(size_t index)>& place,
                         const DatasetOptions& options) {
  return Finder(runtime, uris, place, options).Find();
}

}  // namespace bucketline
