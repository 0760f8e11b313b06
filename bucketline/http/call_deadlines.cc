#include "bucketline/http/call_deadlines.h"

#include <algorithm>

#include <fmt/format.h>

namespace bucketline {
namespace {

SteadyTime EndOf(SteadyTime from, Duration limit) {
  if (limit <= Duration::zero() || limit > SteadyTime::max() - from) return SteadyTime::max();
  return from + limit;
}

std::string Length(Duration limit) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
  return ms % 1000 == 0 ? fmt::format("{}s", ms / 1000) : fmt::format("{}ms", ms);
}

}  // namespace

void CallDeadlines::Connected(SteadyTime now, bool has_body) {
  if (phase_ != Phase::kConnecting) return;
  phase_ = has_body ? Phase::kSending : Phase::kWaiting;
  if (has_body) mark_ = now;
}

void CallDeadlines::SentBytes(SteadyTime now) {
  if (phase_ == Phase::kSending || phase_ == Phase::kReceiving) mark_ = now;
}

void CallDeadlines::SentAll(SteadyTime now) {
  if (phase_ != Phase::kSending) return;
  phase_ = Phase::kWaiting;
  mark_ = now;
}

void CallDeadlines::HeadArrived(SteadyTime now) {
  phase_ = Phase::kReceiving;
  mark_ = now;
}

void CallDeadlines::ReceivedBytes(SteadyTime now) { mark_ = now; }

SteadyTime CallDeadlines::PhaseEnd() const {
  switch (phase_) {
    case Phase::kConnecting:
      return EndOf(mark_, limits_.connect);
    case Phase::kWaiting:
      return EndOf(mark_, limits_.first_byte);
    case Phase::kSending:
    case Phase::kReceiving:
      break;
  }
  return EndOf(mark_, limits_.stall);
}

SteadyTime CallDeadlines::TotalEnd() const { return EndOf(start_, limits_.total); }

SteadyTime CallDeadlines::Next() const { return std::min(PhaseEnd(), TotalEnd()); }

std::optional<std::string> CallDeadlines::Expired(SteadyTime now) const {
  if (now >= TotalEnd())
    return fmt::format("not complete within {} (the total deadline)", Length(limits_.total));
  if (now < PhaseEnd()) return std::nullopt;
  switch (phase_) {
    case Phase::kConnecting:
      return ConnectDeadlineText(limits_.connect);
    case Phase::kSending:
      return fmt::format("no byte of the request could be sent for {} (the stall deadline)",
                         Length(limits_.stall));
    case Phase::kWaiting:
      return fmt::format("no response within {} (the first_byte deadline)", Length(limits_.first_byte));
    case Phase::kReceiving:
      break;
  }
  return fmt::format("no byte of the response came for {} (the stall deadline)", Length(limits_.stall));
}

std::string ConnectDeadlineText(Duration limit) {
  return fmt::format("no connection within {} (the connect deadline)", Length(limit));
}

}  // namespace bucketline
