// S3Client: what all requests of one store share.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "bucketline/s3/concurrency_limits.h"
#include "bucketline/s3/retry_policy.h"
#include "bucketline/s3/s3_receiver.h"
#include "bucketline/s3/s3_request.h"
#include "bucketline/s3/settings.h"
#include "bucketline/store/call_tracker.h"

namespace bucketline {

// How a request with all its attempts ended.
struct S3Outcome {
  std::optional<S3Failure> failure;  // of the last attempt
  int attempts = 0;                  // that were made
  Duration first_byte{0};            // of the last one; 0 when it had no answer
};

using S3Done = std::function<void(S3Outcome)>;

// Thread-safe. Requests keep it alive; the environment outlives it.
class S3Client : public std::enable_shared_from_this<S3Client> {
 public:
  S3Client(S3Settings settings, S3Environment environment);

  // Never blocks. `done` gets the outcome exactly once, on a thread of the transport or the timer, never
  // inside this call. A stop request, or Shutdown(), ends it soon with kCancelled.
  void Start(S3Request request, std::shared_ptr<S3Receiver> receiver, std::stop_token stop, S3Done done);

  // The same, waiting. Not for threads of the transport or the timer. It ends within options.deadline.
  S3Outcome Run(S3Request request, std::shared_ptr<S3Receiver> receiver, std::stop_token stop = {});

  // Calls `work` on the timer's thread, and counts it as a request that runs.
  void Later(std::function<void()> work);

  // Cancels what runs and waits for it; requests that start later end with kCancelled.
  void Shutdown();

  std::string UriOf(std::string_view key) const {
    return "s3://" + settings_.bucket + "/" + std::string(key);
  }
  // What shares a concurrency limit with requests for this key.
  std::string ScopeOf(const std::string& key) const {
    return ConcurrencyScope(settings_.place.endpoint.host, settings_.bucket, key);
  }
  S3ErrorContext ContextOf(const S3Request& request) const;

  const S3Settings& settings() const { return settings_; }
  const S3Environment& environment() const { return environment_; }
  const RetryPolicy& policy() const { return policy_; }
  CallTracker& tracker() { return tracker_; }
  BucketPlace& place() { return place_; }
  std::shared_ptr<const Place> CurrentPlace() const { return place_.Get(); }

  // Addressed, and signed unless `credentials` is nullptr, with this machine's time or, after CorrectClock, the
  // server's.
  HttpRequest Build(const S3Request& request, const Place& place, const Credentials* credentials);
  void CorrectClock(WallTime server_time);

  double Random() const { return environment_.random(); }
  // One line for the log, at most one in five seconds: a request has failed several times and goes on.
  void WarnOfRetries(const Error& error, int attempts);

 private:
  WallTime ServerNow() const;

  const S3Settings settings_;
  BucketPlace place_;
  const S3Environment environment_;
  const RetryPolicy policy_;
  SigningKeyCache keys_;
  std::atomic<Duration::rep> clock_offset_{0};
  std::atomic<SteadyTime::rep> next_warning_;
  CallTracker tracker_;
};

}  // namespace bucketline
