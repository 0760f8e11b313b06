// What counts as a bad sample, what takes its place, and how many may be bad.
#pragma once

#include <cstdint>

#include "bucketline/base/error.h"

namespace bucketline {

constexpr int kReplacementTries = 8;

// Whether an error of probing or decoding is a fault of the pinned bytes, which skip and mask may pass over:
// undecodable, or over the pixel limit. Errors of fetching never are, whatever their code.
bool IsFaultOfBytes(const Error& decode_error);

// The record that stands in for the one at `position`: a hash of (seed, epoch, position, attempt) modulo
// `records`, attempt in [0, kReplacementTries). The same on every platform; saved runs rest on it.
uint64_t ReplacementRecord(uint64_t seed, uint64_t epoch, uint64_t position, int attempt, uint64_t records);

// How many samples of one epoch a rank may skip or mask: `share` of its part of the positions, rounded down.
uint64_t SkipAllowance(double share, uint64_t positions, uint64_t world_size);

}  // namespace bucketline
