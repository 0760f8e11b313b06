// Sampling: which records an epoch is made of.
#pragma once

#include <cstdint>
#include <string_view>

namespace bucketline {

enum class Sampling {
  kAll,          // every record once
  kBalanced,     // every class equally often (class_balance.h)
  kReplacement,  // each position draws its record anew, all equally likely
  kMix,          // several runs of records in the proportions of their weights (mix.h)
};

// "all", "balanced", "replacement" or "mix".
std::string_view Name(Sampling sampling);

// The record of a position under kReplacement: uniform in [0, n), independent of all other positions. n >= 1. The
// same on every platform and in every version (saved runs rest on it).
uint64_t DrawWithReplacement(uint64_t n, uint64_t seed, uint64_t epoch, uint64_t position);

}  // namespace bucketline
