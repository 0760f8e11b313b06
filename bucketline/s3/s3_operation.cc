#include "bucketline/s3/s3_operation.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace bucketline {
namespace {

constexpr int kAttemptsBeforeWarning = 4;

Error WithReason(const Error& error, const std::string& reason) {
  return Error(error.code(), fmt::format("{}; gave up {}", error.message(), reason), error.uri(),
               error.http_status(), error.request_id());
}

Congestion CongestionOf(const AttemptSink& sink, const Result<HttpTiming>& result,
                        const std::optional<S3Failure>& failure) {
  if (failure && failure->fault == S3Fault::kThrottled) return Congestion::kSome;
  if (result) return Congestion::kNone;
  const bool never_began = result.error().code() == ErrorCode::kTimeout && !sink.answered();
  return never_began ? Congestion::kSome : Congestion::kUnknown;
}

}  // namespace

void S3Operation::Start(std::shared_ptr<S3Client> client, S3Request request,
                        std::shared_ptr<S3Receiver> receiver, const std::stop_token& stop, S3Done done) {
  auto operation = std::make_shared<S3Operation>(std::move(client), std::move(request), std::move(receiver),
                                                 std::move(done));
  operation->ListenTo(stop);
  operation->AwaitTurn();
}

S3Operation::S3Operation(std::shared_ptr<S3Client> client, S3Request request,
                         std::shared_ptr<S3Receiver> receiver, S3Done done)
    : client_(std::move(client)),
      request_(std::move(request)),
      began_(client_->environment().clock->Now()),
      receiver_(std::move(receiver)),
      done_(std::move(done)),
      ticket_(client_->tracker().Enter()) {}

// Before the first attempt, so that nothing can finish while the callbacks are made.
void S3Operation::ListenTo(const std::stop_token& stop) {
  stop_ = stop;
  on_stop_.emplace(stop, [this] { Cancel(); });
  on_shutdown_.emplace(client_->tracker().stop_token(), [this] { Cancel(); });
}

void S3Operation::Cancel() {
  const auto self = shared_from_this();  // cancelling the timer may drop the only other reference
  std::optional<HttpTransport::CallId> call;
  std::optional<Timer::Id> timer;
  std::optional<ConcurrencyLimits::Place> place;
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(cancelled_, true)) return;
    if (state_ == State::kSending) call = call_;
    if (state_ == State::kWaiting) timer = timer_;
    if (state_ == State::kQueued) place = place_;
  }
  const S3Environment& environment = client_->environment();
  if (call) environment.transport->Cancel(*call);
  if (timer && environment.timer->Cancel(*timer)) FinishLater(Cancelled());
  if (place && environment.limits->Leave(*place)) FinishLater(Cancelled());
}

void S3Operation::AwaitTurn() {
  ConcurrencyLimits* limits = client_->environment().limits;
  if (limits == nullptr) return Attempt();
  const std::string scope = client_->ScopeOf(request_.key);
  if (request_.optional) {
    if (limits->TryEnter(scope, &permit_)) return Attempt();
    const Error full(ErrorCode::kThrottled, "there is no room for this now",
                     client_->ContextOf(request_).uri);
    return FinishLater(S3Failure{full});
  }
  uint64_t turn;
  {
    std::lock_guard lock(mutex_);
    state_ = State::kQueued;
    turn = ++turn_;
    place_.reset();
  }
  const bool retry = attempts_ > 0;
  const auto place =
      limits->Enter(scope, retry, [self = shared_from_this(), retry](ConcurrencyLimits::Permit permit) {
        if (!retry) self->began_ = self->client_->environment().clock->Now();
        self->permit_ = std::move(permit);
        self->Attempt();
      });
  bool cancelled;
  {
    std::lock_guard lock(mutex_);
    if (state_ != State::kQueued || turn_ != turn) return;
    place_ = place;
    cancelled = cancelled_;
  }
  if (cancelled && limits->Leave(place)) FinishLater(Cancelled());
}

void S3Operation::Attempt() {
  ++attempts_;
  const auto& provider = client_->settings().credentials;
  if (!provider) return Send(nullptr);
  if (auto at_hand = provider->TryGet()) return Send(std::move(*at_hand));
  AwaitCredentials(*provider);
}

// Whoever cancels the timer of the deadline has the next step: the answer, a stop request, or else the timer itself.
void S3Operation::AwaitCredentials(CredentialsProvider& provider) {
  const std::optional<Timer::Id> waiting = Wait(Remaining(), [this] {
    const std::string message =
        fmt::format("no credentials came from {} in time", client_->settings().credentials->Source());
    Fail(FailureOfCredentials(client_->ContextOf(request_), Error(ErrorCode::kTimeout, message)));
  });
  if (!waiting) return;
  provider.Get([self = shared_from_this(), deadline = *waiting](Result<CredentialsPtr> credentials) mutable {
    S3Operation& operation = *self;
    // On the timer's thread: the provider's own must not end the operation, and with it perhaps the provider.
    operation.client_->environment().timer->After(
        Duration::zero(), [self = std::move(self), deadline, credentials = std::move(credentials)](
                              bool) mutable { self->TakeCredentials(deadline, std::move(credentials)); });
  });
}

void S3Operation::TakeCredentials(Timer::Id deadline, Result<CredentialsPtr> credentials) {
  if (!client_->environment().timer->Cancel(deadline)) return;  // too late
  if (credentials) return Send(*std::move(credentials));
  Fail(FailureOfCredentials(client_->ContextOf(request_), credentials.error()));
}

void S3Operation::Send(CredentialsPtr credentials) {
  const S3Environment& environment = client_->environment();
  credentials_ = std::move(credentials);
  place_of_attempt_ = client_->CurrentPlace();
  bool cancelled;
  uint64_t turn;
  {
    std::lock_guard lock(mutex_);
    cancelled = cancelled_;
    turn = ++turn_;
    state_ = State::kSending;
    call_.reset();
  }
  if (cancelled) return FinishLater(Cancelled());
  HttpRequest http = client_->Build(request_, *place_of_attempt_, credentials_.get());

  http.deadlines = client_->settings().options.attempt;
  const Duration remaining = std::max<Duration>(Remaining(), std::chrono::milliseconds(1));
  const Duration total = http.deadlines.total;
  http.deadlines.total = total > Duration::zero() ? std::min(total, remaining) : remaining;
  http.fresh_connection = attempts_ > 1;
  environment.counters->requests.Add();
  if (attempts_ > 1) environment.counters->retries.Add();

  auto sink = std::make_shared<AttemptSink>(client_->ContextOf(request_), receiver_);
  const auto call = environment.transport->Send(
      std::move(http), sink, [self = shared_from_this(), sink](const Result<HttpTiming>& result) {
        self->EndAttempt(*sink, result);
      });

  // The exchange may have ended, and others begun, before Send returned.
  {
    std::lock_guard lock(mutex_);
    if (state_ != State::kSending || turn_ != turn) return;
    call_ = call;
    cancelled = cancelled_;
  }
  if (cancelled) environment.transport->Cancel(call);
}

void S3Operation::EndAttempt(AttemptSink& sink, const Result<HttpTiming>& result) {
  const S3Environment& environment = client_->environment();
  {
    std::lock_guard lock(mutex_);
    state_ = State::kIdle;
  }
  environment.counters->bytes_read.Add(sink.received());
  first_byte_ = result ? result->first_byte : Duration::zero();
  if (result) {
    environment.counters->first_byte_us.Record(static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(result->first_byte).count()));
  }
  std::optional<S3Failure> failure = sink.Judge(result);
  permit_.End(CongestionOf(sink, result, failure));
  if (failure) return Fail(std::move(*failure));
  environment.counters->bytes_written.Add(request_.body.size());
  environment.retry_budget->Return(attempts_ == 1 ? RetryCost::kFirstTrySuccess : taken_);
  Finish(std::nullopt);
}

void S3Operation::Fail(S3Failure failure) {
  const S3Environment& environment = client_->environment();
  permit_ = {};  // when there were no credentials to send anything with
  if (failure.fault == S3Fault::kThrottled) environment.counters->throttled.Add();
  {
    std::lock_guard lock(mutex_);
    if (cancelled_) failure = Cancelled();
  }
  const RetryDecision decision = client_->policy().Decide({
      .failure = failure,
      .attempts = attempts_,
      .elapsed = environment.clock->Now() - began_,
      .random = client_->Random(),
      .clock_corrected = clock_corrected_,
      .redirected = redirected_,
      .credentials_renewed = credentials_renewed_,
  });
  if (!decision.retry || request_.optional) {
    if (!decision.reason.empty()) failure.error = WithReason(failure.error, decision.reason);
    return Finish(std::move(failure));
  }
  if (!environment.retry_budget->TryTake(decision.cost)) {
    failure.error = WithReason(
        failure.error, fmt::format("after {} attempt{}, as too many requests failed lately: the retry budget "
                                   "is spent",
                                   attempts_, attempts_ == 1 ? "" : "s"));
    return Finish(std::move(failure));
  }
  taken_ = decision.cost;
  if (decision.redirect) return Redirect(std::move(failure));
  if (decision.renew_credentials) {
    const auto& provider = client_->settings().credentials;
    if (!credentials_ || !provider->Renew(credentials_)) return Finish(std::move(failure));
    credentials_renewed_ = true;
  }
  if (decision.correct_clock) {
    client_->CorrectClock(*failure.server_time);
    clock_corrected_ = true;
  }
  if (attempts_ >= kAttemptsBeforeWarning) client_->WarnOfRetries(failure.error, attempts_);
  WaitThenAttempt(decision.wait);
}

void S3Operation::Redirect(S3Failure failure) {
  redirected_ = true;
  if (IsElsewhere(failure.region)) return WaitThenAttempt(Duration::zero());
  // An endpoint that answers with a redirect and no region: HEAD of the bucket tells it, even when it refuses.
  if (failure.region.empty() && !request_.asks_for_region) return AskForRegion(std::move(failure));
  Finish(std::move(failure));
}

bool S3Operation::IsElsewhere(const std::string& region) {
  // Another request may have found the bucket since this one was sent.
  return client_->CurrentPlace() != place_of_attempt_ || client_->place().MoveTo(region);
}

void S3Operation::AskForRegion(S3Failure failure) {
  S3Request request;
  request.method = "HEAD";
  request.subject = client_->ContextOf(request_).uri;
  request.asks_for_region = true;
  auto region = std::make_shared<std::string>();
  auto receiver = std::make_shared<DocumentReceiver>(
      client_->ContextOf(request), [region](const HttpResponseHead& head, std::string_view) {
        *region = std::string(head.headers.Find("x-amz-bucket-region").value_or(""));
        return std::optional<S3Failure>();
      });
  client_->Start(
      std::move(request), std::move(receiver), stop_,
      [self = shared_from_this(), region, failure = std::move(failure)](S3Outcome outcome) mutable {
        if (outcome.failure) *region = outcome.failure->region;
        if (self->IsElsewhere(*region)) return self->WaitThenAttempt(Duration::zero());
        self->Finish(std::move(failure));
      });
}

void S3Operation::WaitThenAttempt(Duration wait) {
  static_cast<void>(Wait(wait, [this] { AwaitTurn(); }));
}

std::optional<Timer::Id> S3Operation::Wait(Duration duration, std::function<void()> then) {
  uint64_t turn;
  {
    std::lock_guard lock(mutex_);
    state_ = State::kWaiting;
    turn = ++turn_;
    timer_.reset();
  }
  Timer& timer = *client_->environment().timer;
  const Timer::Id id = timer.After(duration, [self = shared_from_this(), then = std::move(then)](bool fired) {
    if (fired) return then();
    self->Finish(self->Cancelled());
  });
  bool cancelled;
  {
    std::lock_guard lock(mutex_);
    if (state_ != State::kWaiting || turn_ != turn) return std::nullopt;
    timer_ = id;
    cancelled = cancelled_;
  }
  if (!cancelled) return id;
  if (timer.Cancel(id)) FinishLater(Cancelled());
  return std::nullopt;
}

void S3Operation::FinishLater(std::optional<S3Failure> failure) {
  client_->environment().timer->After(
      Duration::zero(), [self = shared_from_this(), failure = std::move(failure)](bool) mutable {
        self->Finish(std::move(failure));
      });
}

void S3Operation::Finish(std::optional<S3Failure> failure) {
  const auto self = shared_from_this();
  // Waits for a Cancel() that runs on another thread; not under mutex_, which that one takes.
  on_stop_.reset();
  on_shutdown_.reset();
  // With it goes the caller's sink, which may hold what the caller is about to free, and what the caller captured goes
  // before the store may.
  receiver_.reset();
  std::exchange(done_, nullptr)({std::move(failure), attempts_, first_byte_});
  permit_ = {};
  ticket_.reset();
}

S3Failure S3Operation::Cancelled() const {
  return {Error(ErrorCode::kCancelled, "stopped on request", client_->ContextOf(request_).uri)};
}

Duration S3Operation::Remaining() const {
  return client_->settings().options.deadline - (client_->environment().clock->Now() - began_);
}

}  // namespace bucketline
