// ListingPace: how far a listing is, and how fast, for a live line.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace bucketline::cli {

class ListingPace {
 public:
  // "123000 objects, 45000/s", by the time since this was made.
  std::string Text(uint64_t objects) const {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
    return fmt::format("{} objects, {:.0f}/s", objects,
                       static_cast<double>(objects) / std::max(passed.count(), 0.001));
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace bucketline::cli
