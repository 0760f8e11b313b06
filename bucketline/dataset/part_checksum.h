// Part checksum: whether the bytes of a part are those that were indexed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "bucketline/base/crc.h"
#include "bucketline/base/error.h"

namespace bucketline {

// What is wrong with `bytes`, whose CRC32C should be this: kCorruptData. Nothing where no checksum is known.
std::optional<Error> ChecksumFault(std::span<const uint8_t> bytes, std::optional<uint32_t> crc32c);
// The same for bytes that came in pieces.
std::optional<Error> ChecksumFault(const Crc32c& bytes, std::optional<uint32_t> crc32c);

}  // namespace bucketline
