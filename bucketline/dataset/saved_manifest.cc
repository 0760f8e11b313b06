#include "bucketline/dataset/saved_manifest.h"

#include <memory>
#include <optional>
#include <string>

#include "bucketline/base/error.h"
#include "bucketline/cache/shared_copy.h"
#include "bucketline/dataset/source.h"
#include "bucketline/s3/s3_facts.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/mapped_file.h"

namespace bucketline {
namespace {

constexpr uint64_t kLargestManifest = uint64_t{16} << 30;

Bytes ReadAll(Runtime& runtime, const Uri& uri, const DatasetOptions& options) {
  if (uri.scheme == "file") return MapFile(uri.key);
  const std::shared_ptr<ObjectStore> store = StoreOf(runtime, uri, options);
  const std::string key = Runtime::KeyOf(uri);
  if (const std::optional<std::string> place = PlaceNameOf(*store); place && options.pin != PinMode::kSize) {
    return ReadShared(*store, key, *place, {.largest_size = kLargestManifest}, runtime.log(), options.stop);
  }
  GetRequest request;
  request.key = key;
  request.stop = options.stop;
  return GetBytes(*store, std::move(request), kLargestManifest);
}

}  // namespace

Manifest ReadManifest(Runtime& runtime, const Uri& uri, const DatasetOptions& options) {
  const Bytes saved = ReadAll(runtime, uri, options);
  Result<Manifest> opened = Catch([&] { return Manifest::FromBytes(saved); });
  if (!opened) throw opened.error().WithUri(uri.ToString());
  return *std::move(opened);
}

}  // namespace bucketline
