// CallDeadlines: which deadline of an exchange passes next, and which has passed.
#pragma once

#include <optional>
#include <string>

#include "bucketline/base/clock.h"
#include "bucketline/http/transport.h"

namespace bucketline {

// A pure state machine: every time comes in as a parameter. Not thread-safe.
//   connecting -> sending the body (if any) -> waiting for the head -> receiving the body
// `connect` guards the first phase, `stall` the second and fourth, `first_byte` the third, `total` all of
// them.
class CallDeadlines {
 public:
  CallDeadlines(const HttpDeadlines& limits, SteadyTime start)
      : limits_(limits), start_(start), mark_(start) {}

  // The connection stands, and the request goes out; without a body `first_byte` counts from the start.
  void Connected(SteadyTime now, bool has_body);
  void SentBytes(SteadyTime now);    // some of the body
  void SentAll(SteadyTime now);      // the last of it
  void HeadArrived(SteadyTime now);  // whatever the phase
  void ReceivedBytes(SteadyTime now);

  // The earliest time at which Expired can answer; SteadyTime::max() for never.
  SteadyTime Next() const;

  // What to tell the user, e.g. "no connection within 5s (the connect deadline)"; nullopt while all is well.
  std::optional<std::string> Expired(SteadyTime now) const;

  SteadyTime start() const { return start_; }

 private:
  enum class Phase { kConnecting, kSending, kWaiting, kReceiving };
  SteadyTime PhaseEnd() const;
  SteadyTime TotalEnd() const;

  HttpDeadlines limits_;
  SteadyTime start_;
  SteadyTime mark_;  // what the current phase's deadline counts from
  Phase phase_ = Phase::kConnecting;
};

// The text for a connect deadline that libcurl itself noticed first.
std::string ConnectDeadlineText(Duration limit);

}  // namespace bucketline
