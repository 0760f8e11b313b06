#include <utility>

#include "bucketline/base/error.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/dataset_state.h"
#include "bucketline/dataset/source.h"

namespace bucketline {

Dataset Dataset::Of(Runtime& runtime, Manifest manifest, const DatasetOptions& options) {
  if (options.pin == PinMode::kVersion && !manifest.has_versions()) {
    throw Error(ErrorCode::kInvalidArgument,
                "these records were found without versions; read them with pin=\"etag\"", manifest.source());
  }
  const PartStore from{.store = StoreOf(runtime, Uri::Parse(manifest.source()), options), .pin = options.pin};
  Source source{.manifest = std::move(manifest), .stores = {}};
  source.stores.assign(source.manifest.part_names().size(), from);
  std::vector<Source> sources;
  sources.push_back(std::move(source));
  return Dataset(State::Whole(&runtime, std::move(sources)));
}

}  // namespace bucketline
