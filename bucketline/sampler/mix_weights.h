// Weights of a Mix from the sizes of its parts.
#pragma once

#include <cstdint>
#include <vector>

namespace bucketline {

// Each part by the number of its records, as small as can be: as if their records were shuffled together. Throws
// kInvalidArgument: no parts, or one without records (naming its number).
std::vector<uint64_t> ProportionalWeights(const std::vector<uint64_t>& records);

// A part of n records gets a share in proportion to n^(1/temperature), as multilingual training has it: 1 is proportional,
// above it small parts come more often, and towards infinity all equally often; below it they come less often. Whole
// numbers that sum up to as small a power of two, at least 1024, as brings each share within 1 % of what it should be.
// Throws as ProportionalWeights, and kInvalidArgument: temperature is not finite or not above 0; a share is too small for
// weights of together at most Mix::kMaxWeights (naming its part).
std::vector<uint64_t> TemperatureWeights(const std::vector<uint64_t>& records, double temperature);

}  // namespace bucketline
