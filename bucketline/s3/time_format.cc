#include "bucketline/s3/time_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

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

// Takes a text off from its start.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool Take(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  std::string_view Next(size_t count) {
    const std::string_view next = rest_.substr(0, count);
    rest_.remove_prefix(next.size());
    return next;
  }
  bool Number(size_t most_digits, int* value) {
    const std::string_view digits = rest_.substr(0, most_digits);
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), *value);
    rest_.remove_prefix(static_cast<size_t>(end - digits.data()));
    return status == std::errc();
  }
  bool Clock(Civil* c) {
    return Number(2, &c->hour) && Take(":") && Number(2, &c->minute) && Take(":") && Number(2, &c->second);
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

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
  Reader reader(text);
  Civil c;
  reader.Next(3);  // the day of the week
  if (!reader.Take(", ") || !reader.Number(2, &c.day) || !reader.Take(" ")) return std::nullopt;
  const auto month = std::ranges::find(kMonths, reader.Next(3));
  c.month = static_cast<int>(month - kMonths.begin()) + 1;
  if (!reader.Take(" ") || !reader.Number(4, &c.year) || !reader.Take(" ") || !reader.Clock(&c) ||
      !reader.Take(" GMT")) {
    return std::nullopt;
  }
  return ToWallTime(c);
}

std::optional<WallTime> ParseIsoDate(std::string_view text) {
  Reader reader(text);
  Civil c;
  if (!reader.Number(4, &c.year) || !reader.Take("-") || !reader.Number(2, &c.month) || !reader.Take("-") ||
      !reader.Number(2, &c.day) || !reader.Take("T") || !reader.Clock(&c)) {
    return std::nullopt;
  }
  auto time = ToWallTime(c);
  if (!time || !reader.Take(".")) return time;
  Duration unit = std::chrono::milliseconds(100);
  for (const char digit : reader.rest()) {
    if (digit < '0' || digit > '9') break;
    *time += (digit - '0') * unit;
    unit /= 10;
  }
  return time;
}

}  // namespace bucketline
