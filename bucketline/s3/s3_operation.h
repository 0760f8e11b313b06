// S3Operation: one asynchronous request with its attempts: sign, send, judge, wait, again.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "bucketline/s3/attempt_sink.h"
#include "bucketline/s3/s3_client.h"

namespace bucketline {

// Lives until its `done` has returned. Attempts never overlap: the next one is sent by the timer, after the
// transport has finished with the one before.
class S3Operation : public std::enable_shared_from_this<S3Operation> {
 public:
  // See S3Client::Start.
  static void Start(std::shared_ptr<S3Client> client, S3Request request, std::shared_ptr<S3Receiver> receiver,
                    const std::stop_token& stop, S3Done done);

  S3Operation(std::shared_ptr<S3Client> client, S3Request request, std::shared_ptr<S3Receiver> receiver,
              S3Done done);

 private:
  using StopCallback = std::stop_callback<std::function<void()>>;
  enum class State { kIdle, kQueued, kSending, kWaiting };

  void ListenTo(const std::stop_token& stop);
  void Cancel();  // any thread, any time

  void AwaitTurn();  // then the attempt
  void Attempt();
  void AwaitCredentials(CredentialsProvider& provider);
  void TakeCredentials(Timer::Id deadline, Result<CredentialsPtr> credentials);
  void Send(CredentialsPtr credentials);  // nullptr: unsigned
  void EndAttempt(AttemptSink& sink, const Result<HttpTiming>& result);
  void Fail(S3Failure failure);  // tries again or finishes
  void Redirect(S3Failure failure);
  bool IsElsewhere(const std::string& region);  // than where the attempt went: the next one goes there
  void AskForRegion(S3Failure failure);
  void WaitThenAttempt(Duration wait);
  // Calls `then` on the timer's thread, unless a stop request ends the operation first; it holds the operation by itself.
  // The timer, for whoever may go on earlier by cancelling it; nullopt when that is no longer possible.
  std::optional<Timer::Id> Wait(Duration duration, std::function<void()> then);

  void FinishLater(std::optional<S3Failure> failure);  // on the timer's thread
  void Finish(std::optional<S3Failure> failure);
  S3Failure Cancelled() const;
  Duration Remaining() const;

  const std::shared_ptr<S3Client> client_;
  const S3Request request_;
  std::stop_token stop_;
  SteadyTime began_;  // at the first attempt: waiting for a turn is not the store's time
  std::shared_ptr<S3Receiver> receiver_;
  S3Done done_;
  CallTracker::Ticket ticket_;
  std::optional<StopCallback> on_stop_;
  std::optional<StopCallback> on_shutdown_;

  // Used by whoever runs the current attempt; never two threads at a time.
  int attempts_ = 0;
  Duration first_byte_{0};
  uint64_t taken_ = 0;  // the last retry's cost
  bool clock_corrected_ = false;
  ConcurrencyLimits::Permit permit_;  // of the attempt that runs
  bool redirected_ = false;
  bool credentials_renewed_ = false;
  CredentialsPtr credentials_;  // of the current attempt
  std::shared_ptr<const Place> place_of_attempt_;

  std::mutex mutex_;  // guards what Cancel() looks at
  State state_ = State::kIdle;
  uint64_t turn_ = 0;  // counts Sends and waits, so that a late id is told from the current one
  std::optional<HttpTransport::CallId> call_;
  std::optional<Timer::Id> timer_;
  std::optional<ConcurrencyLimits::Place> place_;
  bool cancelled_ = false;
};

}  // namespace bucketline
