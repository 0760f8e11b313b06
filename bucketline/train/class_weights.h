// Class weights: how much a sample of each class counts in the training loss.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bucketline {

// What the user asked for. Default: every class alike.
struct ClassWeights {
  bool balanced = false;
  std::vector<std::pair<std::string, double>> given = {};  // by class number or name; others weigh 1

  // "balanced", or "0=1.0,1=2.5", or "cat=1,dog=2.5" by the classes' names. Throws kInvalidArgument.
  static ClassWeights Parse(std::string_view text);
  bool empty() const { return !balanced && given.empty(); }

  // One weight a class; empty when every class counts alike. Balanced: images / (classes * images of the
  // class), so that the mean over the images is 1. A number names a class by position unless a class has that
  // very name. Throws kInvalidArgument: an unknown class, or one named twice; balanced, and a class has no
  // image.
  std::vector<double> Resolve(std::span<const std::string> classes, std::span<const uint64_t> images) const;
};

}  // namespace bucketline
