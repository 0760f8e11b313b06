#include "bucketline/loader/skip_policy.h"

#include <cmath>

#include "bucketline/base/random.h"

namespace bucketline {
namespace {

// Keeps these draws apart from those that augment the same position.
constexpr uint64_t kReplacementSalt = 0x736b697053616c74ull;

}  // namespace

bool IsFaultOfBytes(const Error& decode_error) {
  return decode_error.code() == ErrorCode::kCorruptData ||
         decode_error.code() == ErrorCode::kResourceExhausted;
}

uint64_t ReplacementRecord(uint64_t seed, uint64_t epoch, uint64_t position, int attempt, uint64_t records) {
  CounterRng rng(Mix64(seed ^ kReplacementSalt), epoch, position);
  uint64_t draw = rng.NextU64();
  for (int i = 0; i < attempt; ++i) draw = rng.NextU64();
  return draw % records;
}

uint64_t SkipAllowance(double share, uint64_t positions, uint64_t world_size) {
  const double part = static_cast<double>(positions) / static_cast<double>(world_size);
  return static_cast<uint64_t>(std::floor(share * part + 1e-9));  // 0.29 * 100 is a little below 29
}

}  // namespace bucketline
