#include "bucketline/sampler/mix_weights.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/sampler/mix.h"

namespace bucketline {
namespace {

constexpr double kPrecision = 0.0049;  // of each; of a share of their sum then 0.01
constexpr uint64_t kFewestSlots = 1024;

void RequireRecords(const std::vector<uint64_t>& records) {
  if (records.empty()) throw Error(ErrorCode::kInvalidArgument, "a mix needs at least one part");
  for (size_t i = 0; i < records.size(); ++i) {
    if (records[i] == 0)
      throw Error(ErrorCode::kInvalidArgument, fmt::format("part {} of the mix has no records", i));
  }
}

std::vector<uint64_t> AsSmallAsCanBe(std::vector<uint64_t> weights) {
  uint64_t common = 0;
  for (const uint64_t weight : weights) common = std::gcd(common, weight);
  for (uint64_t& weight : weights) weight /= common;  // NOLINT(clang-analyzer-core.DivideZero): none is 0
  return weights;
}

// The shares in so many slots; nullopt where that is not precise.
std::optional<std::vector<uint64_t>> Rounded(const std::vector<double>& shares, uint64_t slots) {
  std::vector<uint64_t> weights;
  for (const double share : shares) {
    const double wanted = share * static_cast<double>(slots);
    const double whole = std::round(wanted);
    if (std::abs(whole - wanted) > kPrecision * wanted) return std::nullopt;
    weights.push_back(static_cast<uint64_t>(whole));
  }
  return weights;
}

}  // namespace

std::vector<uint64_t> ProportionalWeights(const std::vector<uint64_t>& records) {
  RequireRecords(records);
  return AsSmallAsCanBe(records);
}

std::vector<uint64_t> TemperatureWeights(const std::vector<uint64_t>& records, double temperature) {
  RequireRecords(records);
  if (!std::isfinite(temperature) || temperature <= 0) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("the temperature of a mix is a finite number above 0, not {}", temperature));
  }
  if (temperature == 1) return AsSmallAsCanBe(records);
  const auto largest = static_cast<double>(*std::ranges::max_element(records));
  std::vector<double> shares;
  shares.reserve(records.size());
  for (const uint64_t count : records)
    shares.push_back(std::pow(static_cast<double>(count) / largest, 1 / temperature));
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= sum;
  // Shares that are rounded up may need a little more room than there are slots.
  for (uint64_t slots = kFewestSlots; slots < Mix::kMaxWeights; slots *= 2) {
    if (std::optional<std::vector<uint64_t>> weights = Rounded(shares, slots))
      return AsSmallAsCanBe(*std::move(weights));
  }
  const auto smallest = std::ranges::min_element(records);
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format(
          "with temperature {} the share of part {} of the mix, which has {} records of the largest's "
          "{:.0f}, is too small to be kept; raise the temperature, or leave the part out",
          temperature, smallest - records.begin(), *smallest, largest));
}

}  // namespace bucketline
