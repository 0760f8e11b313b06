#include "bucketline/s3/time_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

#include <fmt/format.h>

namespace bucketline {
namespace {

struct Civil {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

std::optional<WallTime> ToWallTime(const Civil& c) {
  using namespace std::chrono;
  const year_month_day date{year{c.year}, month{static_cast<unsigned>(c.month)},
                            day{static_cast<unsigned>(c.day)}};
  // What nanoseconds since 1970 can hold, which also keeps hostile years from overflowing.
  if (!date.ok() || c.year < 1900 || c.year > 2200) return std::nullopt;
  if (c.hour < 0 || c.hour > 23 || c.minute < 0 || c.minute > 59 || c.second < 0 || c.second > 60)
    return std::nullopt;
  return WallTime{sys_days{date} + hours{c.hour} + minutes{c.minute} + seconds{c.second}};
}

}  // namespace

std::string FormatAmzDate(WallTime time) {
  using namespace std::chrono;
  const auto midnight = floor<days>(time);
  const year_month_day date{midnight};
  const hh_mm_ss clock{floor<seconds>(time - midnight)};
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

// By hand: it is a part of every answer, and sscanf took a twentieth of a small one's time.
std::optional<WallTime> ParseHttpDate(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto take = [&text](std::string_view expected) {
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(expected.size());
    return true;
  };
  const auto number = [&text](int* value) {
    const auto [end, status] =
        std::from_chars(text.data(), text.data() + std::min<size_t>(text.size(), 4), *value);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    return status == std::errc();
  };
  Civil c;
  text.remove_prefix(std::min<size_t>(text.size(), 3));  // the day of the week
  if (!take(", ") || !number(&c.day) || !take(" ")) return std::nullopt;
  const auto month = std::ranges::find(kMonths, text.substr(0, 3));
  c.month = static_cast<int>(month - kMonths.begin()) + 1;
  text.remove_prefix(std::min<size_t>(text.size(), 3));
  if (!take(" ") || !number(&c.year) || !take(" ") || !number(&c.hour) || !take(":") || !number(&c.minute) ||
      !take(":") || !number(&c.second) || !take(" GMT")) {
    return std::nullopt;
  }
  return ToWallTime(c);
}

std::optional<WallTime> ParseIsoDate(std::string_view text) {
  const std::string copy(text.substr(0, 64));
  Civil c;
  int used = 0;
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &c.year, &c.month, &c.day, &c.hour, &c.minute,
                  &c.second, &used) != 6) {
    return std::nullopt;
  }
  auto time = ToWallTime(c);
  if (!time || static_cast<size_t>(used) >= copy.size() || copy[used] != '.') return time;
  Duration unit = std::chrono::milliseconds(100);
  for (size_t i = used + 1; i < copy.size() && copy[i] >= '0' && copy[i] <= '9'; ++i, unit /= 10) {
    *time += (copy[i] - '0') * unit;
  }
  return time;
}

}  // namespace bucketline
