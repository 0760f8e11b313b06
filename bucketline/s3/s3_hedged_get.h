// HedgedGet: one read that is asked for a second time when its answer is late; the first whole one is taken.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "bucketline/s3/hedge_rules.h"
#include "bucketline/s3/s3_get.h"

namespace bucketline {

// The second read happens only when the rules have a share left, the scope is calm and has room, and the sink gives
// memory for it at once. Ends when both exchanges have ended, so that nobody writes into a sink that is done.
class HedgedGet : public std::enable_shared_from_this<HedgedGet> {
 public:
  // The outcome of the read that was taken, or the first one's failure; with `object` after a success.
  using Done = std::function<void(S3Outcome outcome, const ObjectInfo& object)>;

  // The request is a range or an object of `bytes` bytes.
  static void Start(std::shared_ptr<S3Client> client, GetRequest request, uint64_t bytes,
                    std::shared_ptr<GetSink> sink, Done done);

  HedgedGet(std::shared_ptr<S3Client> client, GetRequest request, uint64_t bytes,
            std::shared_ptr<GetSink> sink, Done done);

 private:
  struct Read {
    std::shared_ptr<GetSink> sink;
    std::shared_ptr<GetReceiver> receiver;
    std::stop_source stop;
    bool running = false;
    std::optional<S3Outcome> outcome;
    bool Won() const { return outcome && !outcome->failure; }
  };

  void Begin();
  void WaitLocked(Duration patience);
  void PatienceEnded();
  void StartRead(Read& read, bool optional);
  bool AskAgainLocked(Duration patience);  // false when it may not now
  void Ended(Read& read, S3Outcome outcome);
  void Finish();

  const std::shared_ptr<S3Client> client_;
  const GetRequest request_;
  const uint64_t bytes_;
  const SteadyTime began_;
  Done done_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;

  std::mutex mutex_;  // guards what follows; never held while a read is stopped
  std::optional<Timer::Id> timer_;
  Duration waiting_{0};  // for what the timer is set
  Duration waited_{0};   // before that
  Read first_;
  Read second_;
};

}  // namespace bucketline
