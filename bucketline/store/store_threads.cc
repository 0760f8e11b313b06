#include "bucketline/store/store_threads.h"

namespace bucketline {

void StoreThreads::Run(std::function<void()> work) {
  const bool accepted = pool_.Submit([ticket = tracker_.Enter(), work = std::move(work)]() mutable {
    work();
    work = nullptr;  // What the caller captured goes before the store may.
    ticket.reset();
  });
  if (!accepted) throw Error(ErrorCode::kCancelled, "the store is closed");
}

void StoreThreads::Finish() {
  tracker_.CancelAndWait();
  pool_.Stop();
}

}  // namespace bucketline
