#include "bucketline/dataset/object_pages.h"

#include <utility>

#include "bucketline/dataset/pinning.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

ListPage NextPage(ObjectStore& store, const ListRequest& request, PinMode pin) {
  try {
    return ListOnePage(store, request);
  } catch (const Error& error) {
    throw ExplainPin(error, pin);
  }
}

}  // namespace

void ForEachPage(ObjectStore& store, std::string prefix, const DatasetOptions& options,
                 const std::function<bool(std::vector<ObjectInfo> objects)>& take) {
  ListRequest request;
  request.prefix = std::move(prefix);
  request.stop = options.stop;
  request.versions = options.pin == PinMode::kVersion;
  do {
    ListPage page = NextPage(store, request, options.pin);
    if (!take(std::move(page.objects))) return;
    request.token = std::move(page.next_token);
  } while (!request.token.empty());
}

}  // namespace bucketline
