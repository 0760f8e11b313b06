// Interrupt: Ctrl-C and SIGTERM as a stop token.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <thread>

namespace bucketline::cli {

// Blocks SIGINT, SIGTERM and SIGHUP (unless it is ignored, as below nohup) in every thread that starts after it and waits
// for them itself. The first one requests the stop; a second one, or a grace without a clean end, ends the process with exit
// code 130. The grace is two seconds, or what BUCKETLINE_GRACE says ("30s").
//
// With `hurry` the clean end takes the time that it takes; the second signal requests `hurry`, and a third one, or ten
// seconds, ends the process.
class Interrupt {
 public:
  // Throws Error (kInvalidArgument) when BUCKETLINE_GRACE is no duration, or above 24 hours.
  explicit Interrupt(std::optional<std::stop_source> hurry = {});
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::stop_token token() const { return stop_.get_token(); }

 private:
  void Run();

  int signals_;  // signalfd
  int done_;     // eventfd, written by the destructor
  const std::chrono::milliseconds grace_;
  std::stop_source stop_;
  std::optional<std::stop_source> hurry_;
  std::thread thread_;
};

}  // namespace bucketline::cli
