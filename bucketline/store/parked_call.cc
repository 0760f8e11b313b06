#include "bucketline/store/parked_call.h"

#include <utility>

namespace bucketline {

std::shared_ptr<ParkedCall> ParkedCall::Park(StoreThreads& threads, const std::stop_token& call_stop,
                                             std::function<void(bool)> end) {
  std::shared_ptr<ParkedCall> call(new ParkedCall(threads, call_stop, std::move(end)));
  call->WatchForStop();
  return call;
}

ParkedCall::ParkedCall(StoreThreads& threads, const std::stop_token& call_stop, std::function<void(bool)> end)
    : threads_(threads),
      link_(call_stop, threads.tracker().stop_token()),
      ticket_(threads.tracker().Enter()),
      end_(std::move(end)) {}

void ParkedCall::WatchForStop() {
  std::lock_guard lock(on_stop_mutex_);
  on_stop_.emplace(link_.token(), [self = shared_from_this()] { self->End(true); });
}

void ParkedCall::End(bool stopped) {
  if (ending_.exchange(true)) return;
  threads_.Run([self = shared_from_this(), stopped] {
    {
      std::lock_guard lock(self->on_stop_mutex_);
      self->on_stop_.reset();  // it holds the call itself
    }
    self->end_(stopped);
    self->end_ = nullptr;
    self->ticket_.reset();
  });
}

}  // namespace bucketline
