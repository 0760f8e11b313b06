#include "bucketline/base/units.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

struct Quantity {
  double number = 0;
  std::string unit;  // lower case
};

Quantity ParseQuantity(std::string_view text, std::string_view example) {
  Quantity quantity;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), quantity.number);
  if (status != std::errc() || !std::isfinite(quantity.number) || quantity.number < 0) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("\"{}\" is not a quantity such as {}", text, example));
  }
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
  unit = unit.substr(0, unit.find_last_not_of(' ') + 1);
  for (const char c : unit) quantity.unit += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return quantity;
}

template <size_t N>
double UnitFactor(const std::pair<std::string_view, double> (&units)[N], const Quantity& quantity,
                  std::string_view text, std::string_view example) {
  for (const auto& [name, factor] : units) {
    if (name == quantity.unit) return factor;
  }
  throw Error(ErrorCode::kInvalidArgument, fmt::format("\"{}\" has no known unit; write {}", text, example));
}

}  // namespace

uint64_t ParseByteSize(std::string_view text) {
  static constexpr std::pair<std::string_view, double> kUnits[] = {{"", 1},
                                                                   {"b", 1},
                                                                   {"kb", 1e3},
                                                                   {"mb", 1e6},
                                                                   {"gb", 1e9},
                                                                   {"tb", 1e12},
                                                                   {"kib", 1ull << 10},
                                                                   {"mib", 1ull << 20},
                                                                   {"gib", 1ull << 30},
                                                                   {"tib", 1ull << 40}};
  constexpr std::string_view kExample = "512MiB or 1.5GiB";
  const Quantity quantity = ParseQuantity(text, kExample);
  const double bytes = quantity.number * UnitFactor(kUnits, quantity, text, kExample);
  if (bytes >= 9.2e18) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is more bytes than can be counted", text));
  }
  return static_cast<uint64_t>(std::round(bytes));
}

std::string FormatByteSize(uint64_t bytes) {
  static constexpr std::string_view kNames[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  // 1023.95 and above would be written as 1024.0.
  while (value >= (unit == 0 ? 1024 : 1023.95) && unit + 1 < std::size(kNames)) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kNames[unit]);
}

Duration ParseDuration(std::string_view text) {
  static constexpr std::pair<std::string_view, double> kUnits[] = {{"us", 1e3}, {"ms", 1e6},   {"s", 1e9},
                                                                   {"m", 60e9}, {"min", 60e9}, {"h", 3600e9}};
  constexpr std::string_view kExample = "250ms, 60s, 5m or 2h";
  const Quantity quantity = ParseQuantity(text, kExample);
  const double nanoseconds = quantity.number * UnitFactor(kUnits, quantity, text, kExample);
  if (nanoseconds >= 9.2e18) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is longer than can be counted", text));
  }
  return Duration(std::llround(nanoseconds));  // 2.3h in double is a nanosecond short
}

}  // namespace bucketline
