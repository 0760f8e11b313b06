#include "src/tf_filesystem/engine.h"

#include <fmt/format.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/base/uri.h"

namespace bucketline::tf {

Place Engine::Locate(std::string_view path) {
  const Uri uri = Uri::Parse(path);
  return {this, runtime().StoreFor(uri), Runtime::KeyOf(uri)};
}

void Engine::CheckProcess() const {
  const pid_t owner = process_.load();
  if (owner == 0 || owner == getpid()) return;
  throw Error(
      ErrorCode::kInternal,
      fmt::format("s3:// was used in process {} before it was forked, and its threads are not in process {}; "
                  "start processes with multiprocessing's \"spawn\", or fork before the first use",
                  owner, getpid()));
}

Runtime& Engine::runtime() {
  CheckProcess();
  Runtime* known = runtime_.load();
  if (known == nullptr) {
    auto made = std::make_unique<Runtime>(RuntimeOptions{.ca_bundle = ca_bundle_});
    process_.store(getpid());
    if (runtime_.compare_exchange_strong(known, made.get())) known = made.release();
  }
  return *known;
}

}  // namespace bucketline::tf
