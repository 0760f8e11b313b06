#include "bucketline/channel/mount_pace.h"

#include <algorithm>
#include <chrono>

namespace bucketline {
namespace {

constexpr uint64_t kLeastWindow = uint64_t{8} << 20;
constexpr double kRounds = 4;
constexpr std::chrono::seconds kMemory(2);  // what was longer ago counts half

}  // namespace

void LeastLatency::Add(Duration latency) {
  if (count_++ == kPeriod) {
    count_ = 1;
    before_ = now_;
    now_ = Duration::max();
  }
  now_ = std::min(now_, latency);
}

Duration LeastLatency::get() const {
  const Duration least = std::min(now_, before_);
  return least == Duration::max() ? Duration::zero() : least;
}

void MountPace::Note(SteadyTime now, uint64_t bytes) {
  if (!begun_) since_ = now;
  begun_ = true;
  bytes_ += bytes;
  if (now - since_ > kMemory) {
    since_ += (now - since_) / 2;
    bytes_ /= 2;
  }
}

uint64_t MountPace::Worthwhile(SteadyTime now, Duration latency) const {
  if (!begun_ || now <= since_) return kLeastWindow;
  const double rounds = std::chrono::duration<double>(latency) / std::chrono::duration<double>(now - since_);
  return std::max(kLeastWindow, static_cast<uint64_t>(kRounds * rounds * static_cast<double>(bytes_)));
}

}  // namespace bucketline
