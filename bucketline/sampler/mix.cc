#include "bucketline/sampler/mix.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/random.h"
#include "bucketline/sampler/permutation.h"

namespace bucketline {
namespace {

// Keep the orders of rounds, and of each part's records, apart from each other and from the plain order.
constexpr uint64_t kRoundSalt = 0x6d69782d726f756eull;
constexpr uint64_t kRecordSalt = 0x6d69782d7265636full;

void Require(bool condition, const std::string& message) {
  if (!condition) throw Error(ErrorCode::kInvalidArgument, message);
}

}  // namespace

Mix::Mix(const std::vector<MixPart>& parts, uint64_t epoch_size, uint64_t seed)
    : epoch_size_(epoch_size), seed_(seed) {
  Require(!parts.empty(), "a mix needs at least one part");
  Require(epoch_size > 0, "an epoch needs at least one position");
  uint64_t record = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto [records, weight] = parts[i];
    Require(records > 0, fmt::format("part {} of the mix has no records", i));
    Require(
        weight > 0 && weight <= kMaxWeights - slots_,
        fmt::format(
            "the weights of a mix are whole numbers from 1 on, together at most {}; that of part {} is {}",
            kMaxWeights, i, weight));
    parts_.push_back({.first_record = record, .records = records, .first_slot = slots_, .weight = weight});
    record += records;
    slots_ += weight;
    fingerprint_ = Mix64(Mix64(Mix64(fingerprint_ + 1) + records) + weight) | 1;
  }
}

uint64_t Mix::At(uint64_t epoch, uint64_t position) const {
  const uint64_t since_start = epoch * epoch_size_ + position;
  const uint64_t round = since_start / slots_;
  const uint64_t slot = Permutation(slots_, seed_ ^ kRoundSalt, round).At(since_start % slots_);
  const auto after =
      std::upper_bound(parts_.begin(), parts_.end(), slot,
                       [](uint64_t wanted, const Part& part) { return wanted < part.first_slot; });
  const Part& part = *std::prev(after);
  const auto number = static_cast<uint64_t>(std::distance(parts_.begin(), after));
  const uint64_t draw = round * part.weight + (slot - part.first_slot);  // of this part, since the start
  const Permutation order(part.records, Mix64(seed_ ^ kRecordSalt) + number, draw / part.records);
  return part.first_record + order.At(draw % part.records);
}

}  // namespace bucketline
