#include "bucketline/sampler/sampling.h"

#include "bucketline/base/random.h"

namespace bucketline {
namespace {

// Keeps these draws apart from those that augment the same position.
constexpr uint64_t kSalt = 0x7265706c6163656dull;

}  // namespace

std::string_view Name(Sampling sampling) {
  switch (sampling) {
    case Sampling::kBalanced:
      return "balanced";
    case Sampling::kReplacement:
      return "replacement";
    case Sampling::kMix:
      return "mix";
    case Sampling::kAll:
      break;
  }
  return "all";
}

uint64_t DrawWithReplacement(uint64_t n, uint64_t seed, uint64_t epoch, uint64_t position) {
  return CounterRng(Mix64(seed ^ kSalt), epoch, position).NextBelow(n);
}

}  // namespace bucketline
