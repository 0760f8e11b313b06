#include "bucketline/s3/cached_credentials.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bucketline/exec/thread_pool.h"

namespace bucketline {
namespace {

Error Stopped() { return Error(ErrorCode::kCancelled, "stopped on request"); }

}  // namespace

CachedCredentials::CachedCredentials(CredentialSourcePtr source, const Clock& clock, LogSink log)
    : source_(std::move(source)), name_(source_->Name()), clock_(clock), log_(std::move(log)) {
  if (auto credentials = source_->AtOnce()) {
    CheckCredentials(*credentials, name_);
    Take(*std::move(credentials));
  }
}

CachedCredentials::~CachedCredentials() { CachedCredentials::Stop(); }

std::optional<CredentialsPtr> CachedCredentials::TryGet() {
  const std::lock_guard lock(mutex_);
  return AtHand();
}

std::optional<CredentialsPtr> CachedCredentials::AtHand() {
  if (!current_) return std::nullopt;
  if (!current_->expires) return current_;
  const WallTime now = clock_.WallNow();
  if (now < advisory_ || clock_.Now() < rest_until_) return current_;
  if (now >= mandatory_) return std::nullopt;
  static_cast<void>(AskForRenewal());  // else the next request asks again
  return current_;
}

void CachedCredentials::Get(Done done) {
  std::unique_lock lock(mutex_);
  const auto at_hand = AtHand();
  Result<void> asked = at_hand || stop_.stop_requested() ? Result<void>(Stopped()) : AskForRenewal();
  if (asked) return waiting_.push_back(std::move(done));
  lock.unlock();
  if (at_hand) return done(*at_hand);
  done(asked.error());
}

bool CachedCredentials::Renew(const CredentialsPtr& rejected) {
  const std::lock_guard lock(mutex_);
  if (current_ == rejected) current_ = nullptr;
  return true;
}

void CachedCredentials::Stop() {
  std::thread thread;
  {
    const std::lock_guard lock(mutex_);
    stop_.request_stop();
    thread = std::move(thread_);
    wake_.notify_all();
  }
  if (thread.joinable()) thread.join();
}

Result<void> CachedCredentials::AskForRenewal() {
  if (wanted_ || stop_.stop_requested()) return {};
  if (!thread_.joinable()) {
    auto started = Catch([&] { thread_ = StartThread("bl-credentials", [this] { Run(); }); });
    if (!started) return started;
  }
  wanted_ = true;
  wake_.notify_all();
  return {};
}

void CachedCredentials::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return wanted_ || stop_.stop_requested(); });
    const bool stopped = stop_.stop_requested();
    lock.unlock();
    Result<Credentials> fetched = stopped ? Stopped() : Catch([&] {
      Credentials credentials = source_->Fetch(stop_.get_token());
      CheckCredentials(credentials, name_);
      return credentials;
    });
    lock.lock();
    Take(fetched);
    const Result<CredentialsPtr> answer = Answer(fetched);
    wanted_ = false;
    std::vector<Done> waiting = std::move(waiting_);
    waiting_.clear();
    lock.unlock();
    for (Done& done : waiting) std::exchange(done, nullptr)(answer);
    waiting.clear();
    if (stopped) return;
    lock.lock();
  }
}

void CachedCredentials::Take(Result<Credentials> fetched) {
  rest_until_ = clock_.Now() + kBetweenRenewals;
  if (fetched) {
    if (fetched->expires) {
      const Duration lifetime = std::max(Duration::zero(), Duration(*fetched->expires - clock_.WallNow()));
      advisory_ = *fetched->expires - std::min(kAdvisory, lifetime / 2);
      mandatory_ = *fetched->expires - std::min(kMandatory, lifetime / 4);
    }
    current_ = std::make_shared<const Credentials>(*std::move(fetched));
    return;
  }
  if (!current_ || !current_->expires || fetched.error().code() == ErrorCode::kCancelled) return;
  const bool expired = clock_.WallNow() >= *current_->expires;
  if (expired && !source_->OutlivesExpiry()) {
    current_ = nullptr;
    return;
  }
  log_(LogLevel::kWarning,
       fmt::format("cannot renew the credentials of {}, going on with those that {}: {}", name_,
                   expired ? "have expired" : "are about to expire", fetched.error().what()));
}

Result<CredentialsPtr> CachedCredentials::Answer(const Result<Credentials>& fetched) const {
  if (current_ && (fetched || fetched.error().code() != ErrorCode::kCancelled)) return current_;
  return fetched.error();
}

}  // namespace bucketline
