// CachedCredentials: keeps what a source gave and renews it ahead of its expiry.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "bucketline/s3/credential_source.h"
#include "bucketline/s3/credentials.h"

namespace bucketline {

// Asks its source on a thread of its own, for all who wait together. As botocore does it:
// - 15 minutes before expiry (at most half of the lifetime) they are renewed in the background, and served meanwhile;
// - 10 minutes before (at most a quarter) requests wait for the renewal. When it fails, what has not expired is served
//   all the same, with a warning;
// - after expiry a failure is the requests' own. Their retries ask again.
// Another renewal begins at the earliest kBetweenRenewals after the last one has ended, unless there is nothing to
// serve.
class CachedCredentials : public CredentialsProvider {
 public:
  static constexpr Duration kAdvisory = std::chrono::minutes(15);
  static constexpr Duration kMandatory = std::chrono::minutes(10);
  static constexpr Duration kBetweenRenewals = std::chrono::seconds(30);

  // Throws what the source's AtOnce throws, and as CheckCredentials does. `clock` outlives this.
  CachedCredentials(CredentialSourcePtr source, const Clock& clock, LogSink log);
  ~CachedCredentials() override;  // Stop()

  std::optional<CredentialsPtr> TryGet() override;
  void Get(Done done) override;
  bool Renew(const CredentialsPtr& rejected) override;
  std::string Source() const override { return name_; }
  void Stop() override;

 private:
  std::optional<CredentialsPtr> AtHand();  // with mutex_ held; may ask for a renewal
  Result<void> AskForRenewal();            // with mutex_ held; fails when there is no thread to be had
  void Run();
  void Take(Result<Credentials> fetched);  // with mutex_ held
  Result<CredentialsPtr> Answer(const Result<Credentials>& fetched) const;

  const CredentialSourcePtr source_;
  const std::string name_;
  const Clock& clock_;
  const LogSink log_;
  std::stop_source stop_;

  std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  CredentialsPtr current_;  // nullptr: none, or rejected
  WallTime advisory_{};     // of current_, when it expires
  WallTime mandatory_{};
  SteadyTime rest_until_{};  // no renewal before, as long as there is something to serve
  bool wanted_ = false;      // a renewal is asked for or runs
  std::vector<Done> waiting_;
  std::thread thread_;  // from the first renewal on
};

}  // namespace bucketline
