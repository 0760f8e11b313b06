#include "bucketline/train/class_weights.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

[[noreturn]] void Refuse(std::string message) {
  throw Error(ErrorCode::kInvalidArgument, "class weights: " + std::move(message));
}

template <typename T>
bool ParseWhole(std::string_view text, T& value) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  return status == std::errc() && end == text.data() + text.size();
}

std::pair<std::string, double> ParseOne(std::string_view item) {
  const size_t equals = item.rfind('=');  // a class's name may hold one
  double weight = 0;
  if (equals == std::string_view::npos || equals == 0 || !ParseWhole(item.substr(equals + 1), weight)) {
    Refuse(fmt::format("\"{}\" is not CLASS=WEIGHT; write balanced, or 0=1.0,1=2.5", item));
  }
  if (!std::isfinite(weight) || weight <= 0) Refuse(fmt::format("the weight in \"{}\" is not above 0", item));
  return {std::string(item.substr(0, equals)), weight};
}

size_t FindClass(const std::string& name, std::span<const std::string> classes) {
  const auto found = std::find(classes.begin(), classes.end(), name);
  if (found != classes.end()) return static_cast<size_t>(found - classes.begin());
  size_t number = 0;
  if (ParseWhole(name, number) && number < classes.size()) return number;
  Refuse(fmt::format("there is no class \"{}\"; the {} classes begin with \"{}\"", name, classes.size(),
                     classes.empty() ? "" : classes.front()));
}

}  // namespace

ClassWeights ClassWeights::Parse(std::string_view text) {
  ClassWeights weights;
  if (text == "balanced") {
    weights.balanced = true;
    return weights;
  }
  for (;;) {
    const size_t comma = text.find(',');
    weights.given.push_back(ParseOne(text.substr(0, comma)));
    if (comma == std::string_view::npos) return weights;
    text.remove_prefix(comma + 1);
  }
}

std::vector<double> ClassWeights::Resolve(std::span<const std::string> classes,
                                          std::span<const uint64_t> images) const {
  if (empty()) return {};
  std::vector<double> weights(classes.size(), 1);
  if (balanced) {
    const uint64_t total = std::accumulate(images.begin(), images.end(), uint64_t{0});
    for (size_t i = 0; i < classes.size(); ++i) {
      if (images[i] == 0) Refuse(fmt::format("class \"{}\" has no image to balance", classes[i]));
      weights[i] =
          static_cast<double>(total) / (static_cast<double>(classes.size()) * static_cast<double>(images[i]));
    }
    return weights;
  }
  std::vector<bool> seen(classes.size());
  for (const auto& [name, weight] : given) {
    const size_t index = FindClass(name, classes);
    if (seen[index]) Refuse(fmt::format("class \"{}\" is named twice", classes[index]));
    seen[index] = true;
    weights[index] = weight;
  }
  return weights;
}

}  // namespace bucketline
