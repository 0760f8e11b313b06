#include "bucketline/dataset/listing_pace.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace bucketline {
namespace {

constexpr double kShortest = 0.001;  // seconds that a rate is of

double Seconds(ListingPace::Clock::duration passed) { return std::chrono::duration<double>(passed).count(); }

std::string Span(double seconds) {
  const auto whole = static_cast<uint64_t>(std::llround(seconds));
  if (whole < 120) return fmt::format("{} s", whole);
  if (whole < 7200) return fmt::format("{} min", (whole + 30) / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

}  // namespace

ListingPace::ListingPace(Clock::time_point now) { samples_.push_back({now, 0}); }

ListingProgress ListingPace::Take(uint64_t objects, std::optional<uint64_t> left, Clock::time_point now) {
  while (samples_.size() > 1 && now - samples_[1].time >= kOfLate) samples_.pop_front();
  const Sample& from = samples_.front();
  ListingProgress progress{.objects = objects, .left = left};
  progress.per_second = static_cast<double>(objects - std::min(objects, from.objects)) /
                        std::max(Seconds(now - from.time), kShortest);
  if (left && progress.per_second > 0) {
    progress.seconds_left = static_cast<double>(*left) / progress.per_second;
  }
  if (now - samples_.back().time >= kOfLate / 10) samples_.push_back({now, objects});
  return progress;
}

std::string ListingText(const ListingProgress& progress) {
  std::string text = fmt::format("{} objects, {:.0f}/s", progress.objects, progress.per_second);
  if (progress.left.value_or(0) == 0) return text;
  const double share =
      static_cast<double>(progress.objects) / static_cast<double>(progress.objects + *progress.left);
  text += fmt::format(", about {:.0f} % listed", std::min(100 * share, 99.0));
  if (progress.seconds_left) text += fmt::format(", {} left", Span(*progress.seconds_left));
  return text;
}

}  // namespace bucketline
