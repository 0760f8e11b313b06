// RetryPolicy: the only place in the project that decides to try again.
#pragma once

#include <optional>
#include <string>

#include "bucketline/s3/retry_budget.h"
#include "bucketline/s3/s3_error.h"
#include "bucketline/s3/s3_store.h"

namespace bucketline {

// What AWS's SDKs charge since November 2026 for a retry and give back for a success.
struct RetryCost {
  static constexpr uint64_t kTransient = 14;
  static constexpr uint64_t kThrottled = 5;
  static constexpr uint64_t kFirstTrySuccess = 1;  // what a request that needed no retry returns
};

struct RetryQuestion {
  const S3Failure& failure;
  int attempts = 1;                  // made so far
  Duration elapsed{0};               // since the request began
  double random = 0;                 // in [0, 1)
  bool clock_corrected = false;      // the failed attempt was signed with the server's time already
  bool redirected = false;           // it was sent to another region already
  bool credentials_renewed = false;  // it was signed with renewed credentials already
};

struct RetryDecision {
  bool retry = false;
  Duration wait{0};
  uint64_t cost = 0;               // to be taken from the RetryBudget before
  bool correct_clock = false;      // sign the next attempt with failure.server_time
  bool redirect = false;           // to the region where the bucket is
  bool renew_credentials = false;  // sign the next attempt with others, if there are any
  std::string reason;  // of giving up, for the message: "after 10 attempts"; "" when trying again never helps
};

// Pure: time and chance come in. Immutable.
class RetryPolicy {
 public:
  RetryPolicy(int max_attempts, Duration deadline, S3Backoff backoff)
      : max_attempts_(max_attempts), deadline_(deadline), backoff_(backoff) {}

  RetryDecision Decide(const RetryQuestion& question) const;

 private:
  Duration Wait(const RetryQuestion& question) const;

  const int max_attempts_;
  const Duration deadline_;
  const S3Backoff backoff_;
};

}  // namespace bucketline
