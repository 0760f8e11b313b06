#include "bucketline/s3/retry_policy.h"

#include <algorithm>

#include <fmt/format.h>

namespace bucketline {
namespace {

// A server's hint may lengthen the computed wait by this much, never shorten it: a hostile or absurd one
// (Retry-After: 86400) must not stall a training run.
constexpr Duration kLongestHint = std::chrono::seconds(5);

std::string Attempts(int attempts) {
  return attempts == 1 ? "after 1 attempt" : fmt::format("after {} attempts", attempts);
}

}  // namespace

bool RetryBudget::TryTake(uint64_t cost) {
  std::lock_guard lock(mutex_);
  if (tokens_ < cost) return false;
  tokens_ -= cost;
  return true;
}

void RetryBudget::Return(uint64_t tokens) {
  std::lock_guard lock(mutex_);
  tokens_ += std::min(tokens, capacity_ - tokens_);
}

uint64_t RetryBudget::tokens() const {
  std::lock_guard lock(mutex_);
  return tokens_;
}

Duration RetryPolicy::Wait(const RetryQuestion& question) const {
  const Duration base =
      question.failure.fault == S3Fault::kThrottled ? backoff_.throttled : backoff_.transient;
  Duration longest = std::min(base, backoff_.longest);
  for (int i = 1; i < question.attempts && longest < backoff_.longest; ++i) {
    longest = std::min(longest * 2, backoff_.longest);
  }
  const auto wait =
      Duration(static_cast<Duration::rep>(question.random * static_cast<double>(longest.count())));
  if (!question.failure.retry_after) return wait;
  return std::clamp(*question.failure.retry_after, wait, wait + kLongestHint);
}

RetryDecision RetryPolicy::Decide(const RetryQuestion& question) const {
  RetryDecision decision;
  const S3Fault fault = question.failure.fault;
  if (fault == S3Fault::kFinal) return decision;
  if (fault == S3Fault::kClockSkew && (question.clock_corrected || !question.failure.server_time))
    return decision;
  if (fault == S3Fault::kCredentials && question.credentials_renewed) return decision;
  if (fault == S3Fault::kRegion && question.redirected) return decision;
  if (question.attempts >= max_attempts_) {
    decision.reason = Attempts(question.attempts);
    return decision;
  }
  if (fault == S3Fault::kClockSkew) {
    decision.correct_clock = true;
  } else if (fault == S3Fault::kRegion) {
    decision.redirect = true;
  } else if (fault == S3Fault::kCredentials) {
    decision.renew_credentials = true;
  } else {
    decision.wait = Wait(question);
    decision.cost = fault == S3Fault::kThrottled ? RetryCost::kThrottled : RetryCost::kTransient;
  }
  if (question.elapsed + decision.wait >= deadline_) {
    decision.reason = fmt::format("{}, as its deadline of {} s is over", Attempts(question.attempts),
                                  std::chrono::duration<double>(deadline_).count());
    return decision;
  }
  decision.retry = true;
  return decision;
}

}  // namespace bucketline
