#include "bucketline/dataset/object_pages.h"

#include <utility>

#include "bucketline/dataset/pinning.h"

namespace bucketline {
namespace {

constexpr size_t kListRequests = 32;  // at a time: what an S3 store's limit begins with

void List(ObjectStore& store, const ParallelListRequest& request, PinMode pin,
          const std::function<bool(ListedRange listed)>& take) {
  try {
    ListInParallel(store, request, take);
  } catch (const Error& error) {
    throw ExplainPin(error, pin);
  }
}

}  // namespace

void ForEachPage(ObjectStore& store, std::string prefix, const DatasetOptions& options,
                 const std::function<bool(std::vector<ObjectInfo> objects)>& take) {
  const ParallelListRequest request{.prefix = std::move(prefix),
                                    .versions = options.pin == PinMode::kVersion,
                                    .width = 1,
                                    .stop = options.stop};
  List(store, request, options.pin, [&](ListedRange listed) { return take(std::move(listed.objects)); });
}

void ForEachPageInAnyOrder(ObjectStore& store, const Uri& uri, std::vector<KeyRange> ranges,
                           const DatasetOptions& options,
                           const std::function<void(ListedRange listed)>& take) {
  const ParallelListRequest request{.prefix = Runtime::KeyOf(uri),
                                    .ranges = std::move(ranges),
                                    .versions = options.pin == PinMode::kVersion,
                                    .width = uri.scheme == "file" ? 1 : kListRequests,
                                    .stop = options.stop};
  List(store, request, options.pin, [&](ListedRange listed) {
    take(std::move(listed));
    return true;
  });
}

}  // namespace bucketline
