#include "bucketline/dataset/sidecars.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "bucketline/exec/parallel.h"
#include "bucketline/records/manifest_list.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr size_t kReads = 64;
constexpr uint64_t kLargestSidecar = uint64_t{1} << 20;

SidecarLabel ReadOne(Runtime& runtime, const DatasetOptions& options, const std::string& uri) {
  const Uri parsed = Uri::Parse(uri);
  GetRequest request;
  request.key = Runtime::KeyOf(parsed);
  request.stop = options.stop;
  const std::shared_ptr<ObjectStore> store = StoreOf(runtime, parsed, options);
  const Result<Bytes> bytes = Catch([&] { return GetBytes(*store, std::move(request), kLargestSidecar); });
  if (bytes) return ReadSidecar(uri, bytes->view(), options.labels.label_field());
  if (bytes.error().code() == ErrorCode::kNotFound)
    return NoLabel{fmt::format("there is no label object {}", uri)};
  throw bytes.error().WithUri(uri);
}

}  // namespace

std::vector<SidecarLabel> ReadSidecars(Runtime& runtime, const DatasetOptions& options,
                                       const std::vector<Source>& sources) {
  const SidecarName name(options.labels.sidecar_name());
  std::vector<SidecarLabel> labels;
  for (const Source& source : sources) {
    const size_t first = labels.size();
    labels.resize(first + source.manifest.size());
    RunParallel(source.manifest.size(), kReads, [&](size_t record) {
      const Record of = source.manifest.At(record);
      const std::string uri = source.stores.front().store->UriOf(of.parts.front().object_key);
      SidecarLabel label = ReadOne(runtime, options, name.UriFor(of.key, uri));
      if (auto* row = std::get_if<LabelRow>(&label)) row->place = first + record;
      labels[first + record] = std::move(label);
    });
  }
  return labels;
}

}  // namespace bucketline
