#include "bucketline/s3/s3_hedged_get.h"

#include <utility>

namespace bucketline {
namespace {

// There may be room, memory or a part of the share again.
constexpr Duration kTryAgain = std::chrono::milliseconds(100);

}  // namespace

void HedgedGet::Start(std::shared_ptr<S3Client> client, GetRequest request, uint64_t bytes,
                      std::shared_ptr<GetSink> sink, Done done) {
  std::make_shared<HedgedGet>(std::move(client), std::move(request), bytes, std::move(sink), std::move(done))
      ->Begin();
}

HedgedGet::HedgedGet(std::shared_ptr<S3Client> client, GetRequest request, uint64_t bytes,
                     std::shared_ptr<GetSink> sink, Done done)
    : client_(std::move(client)),
      request_(std::move(request)),
      bytes_(bytes),
      began_(client_->environment().clock->Now()),
      done_(std::move(done)) {
  first_.sink = std::move(sink);
}

// All is set up before the first read starts, as it may end at once.
void HedgedGet::Begin() {
  on_stop_.emplace(request_.stop, [this] {
    first_.stop.request_stop();
    second_.stop.request_stop();
  });
  std::lock_guard lock(mutex_);
  WaitLocked(client_->environment().hedges->Patience(bytes_).value_or(HedgeRules::kShortest));
  StartRead(first_, false);
}

void HedgedGet::WaitLocked(Duration patience) {
  waiting_ = patience;
  timer_ = client_->environment().timer->After(patience, [self = shared_from_this()](bool fired) {
    if (fired) self->PatienceEnded();
  });
}

// On the timer's thread. Under the lock the first read cannot end, and so the store cannot go, meanwhile.
void HedgedGet::PatienceEnded() {
  std::lock_guard lock(mutex_);
  if (first_.outcome || first_.receiver->answered() || first_.stop.stop_requested()) return;
  waited_ += waiting_;
  // What counts as late may have become known, or have changed, since the read began.
  const std::optional<Duration> patience = client_->environment().hedges->Patience(bytes_);
  if (patience && *patience <= waited_) {
    if (!AskAgainLocked(*patience)) WaitLocked(kTryAgain);
  } else {
    WaitLocked(patience ? *patience - waited_ : HedgeRules::kShortest);
  }
}

void HedgedGet::StartRead(Read& read, bool optional) {
  S3Request request = MakeGetRequest(request_, client_->settings().checksums.verify);
  request.optional = optional;
  read.receiver = std::make_shared<GetReceiver>(client_->ContextOf(request), request_, read.sink);
  read.running = true;
  client_->Start(
      std::move(request), read.receiver, read.stop.get_token(),
      [self = shared_from_this(), &read](S3Outcome outcome) { self->Ended(read, std::move(outcome)); });
}

bool HedgedGet::AskAgainLocked(Duration patience) {
  const S3Environment& environment = client_->environment();
  ConcurrencyLimits* limits = environment.limits;
  if (limits != nullptr && !limits->IsCalm(client_->ScopeOf(request_.key))) return false;
  second_.sink = first_.sink->Second();
  if (second_.sink == nullptr || !environment.hedges->TryTake(patience, waited_)) {
    second_.sink = nullptr;
    return false;
  }
  StartRead(second_, true);
  return true;
}

void HedgedGet::Ended(Read& read, S3Outcome outcome) {
  Read& other = &read == &first_ ? second_ : first_;
  const bool won = !outcome.failure;
  bool last;
  {
    std::lock_guard lock(mutex_);
    read.outcome = std::move(outcome);
    read.running = false;
    last = !other.running;
  }
  if (last) return Finish();
  // A second read that failed says nothing; whatever ended the first one ends both.
  if (won || &read == &first_) other.stop.request_stop();
}

void HedgedGet::Finish() {
  // Waits for a stop request that is being passed on by another thread.
  on_stop_.reset();
  Timer::Id timer;
  {
    std::lock_guard lock(mutex_);  // with an outcome there, nobody sets it again
    timer = *timer_;
  }
  client_->environment().timer->Cancel(timer);
  Read* taken = &first_;
  if (!first_.Won() && second_.Won()) {
    taken = &second_;
    client_->environment().counters->hedges_won.Add();
    first_.sink->TakeFrom(*second_.sink);
    // How long it would have taken is not known, but it is more than this.
    client_->environment().hedges->Record(bytes_, client_->environment().clock->Now() - began_);
  } else if (first_.Won() && first_.outcome->attempts == 1) {
    client_->environment().hedges->Record(bytes_, first_.outcome->first_byte);
  }
  const ObjectInfo object = taken->receiver->object();
  S3Outcome outcome = *std::move(taken->outcome);
  first_.receiver.reset();
  second_.receiver.reset();
  second_.sink.reset();  // and with it what it had reserved
  first_.sink.reset();
  std::exchange(done_, nullptr)(std::move(outcome), object);
}

}  // namespace bucketline
