#include "bucketline/dataset/saved_manifest.h"

#include <memory>
#include <string>

#include "bucketline/base/error.h"
#include "bucketline/dataset/source.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/mapped_file.h"

namespace bucketline {
namespace {

constexpr uint64_t kLargestManifest = uint64_t{16} << 30;

Bytes ReadAll(Runtime& runtime, const Uri& uri, const DatasetOptions& options) {
  if (uri.scheme == "file") return MapFile(uri.key);
  GetRequest request;
  request.key = Runtime::KeyOf(uri);
  request.stop = options.stop;
  return GetBytes(*StoreOf(runtime, uri, options), std::move(request), kLargestManifest);
}

}  // namespace

Manifest ReadManifest(Runtime& runtime, const Uri& uri, const DatasetOptions& options) {
  const Bytes saved = ReadAll(runtime, uri, options);
  Result<Manifest> opened = Catch([&] { return Manifest::FromBytes(saved); });
  if (!opened) throw opened.error().WithUri(uri.ToString());
  return *std::move(opened);
}

}  // namespace bucketline
