// CurlLoop: one network thread, its multi handle and the exchanges on it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "bucketline/http/curl_call.h"
#include "bucketline/http/curl_handles.h"
#include "bucketline/http/curl_transport.h"
#include "bucketline/http/socket_watch.h"

namespace bucketline {

// Other threads only ever touch the inbox; everything about libcurl happens on the loop's own thread, which
// holds no lock while it calls back. Public functions are thread-safe.
class CurlLoop {
 public:
  CurlLoop(const CurlTransportOptions& options, std::string name);
  ~CurlLoop();  // Stop(), Join()

  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  // Starts the thread if there is none. False, with `call` left alone, once the loop has ended.
  bool Submit(std::unique_ptr<CurlCall>& call);

  // Ends that call with kCancelled if it has not ended.
  void Cancel(HttpTransport::CallId id);

  // From now on every call ends with kCancelled; the thread ends when none is left.
  void Stop();
  void Join();

  size_t load() const { return load_.load(std::memory_order_relaxed); }  // calls not ended yet

 private:
  struct Inbox {
    std::vector<std::unique_ptr<CurlCall>> calls;
    std::vector<HttpTransport::CallId> cancels;
    bool empty() const { return calls.empty() && cancels.empty(); }
  };

  void Run();
  bool TakeInbox();  // false: time to end
  void Begin(std::unique_ptr<CurlCall> call);
  void TakeFinished();
  void EndExpired(SteadyTime now);
  void End(CurlCall& call, Result<HttpTiming> result);
  void EndAll(ErrorCode code, std::string_view text);
  void Sleep();
  bool HasMail();  // from this thread itself, which is not woken for it
  void CloseIdleConnections();
  CurlMulti MakeMulti() const;

  const CurlTransportOptions options_;
  const std::string name_;
  std::atomic<size_t> load_{0};

  std::mutex mutex_;  // guards what follows
  Inbox inbox_;
  bool stopping_ = false;
  bool ended_ = false;
  std::thread thread_;

  SocketWatch sockets_;  // Wake by everybody

  // The loop's thread only.
  CurlMulti multi_;
  std::unordered_map<HttpTransport::CallId, std::unique_ptr<CurlCall>> active_;
  std::vector<CurlEasy> spare_;
  SteadyTime alarm_ =
      SteadyTime::max();  // the next look at the deadlines: never later than the earliest of them
  SteadyTime last_used_{};
  bool pool_used_ = false;  // there may be kept connections
};

}  // namespace bucketline
