#include "bucketline/dataset/part_checksum.h"

#include <fmt/format.h>

namespace bucketline {

std::optional<Error> ChecksumFault(std::span<const uint8_t> bytes, std::optional<uint32_t> crc32c) {
  if (!crc32c) return std::nullopt;
  Crc32c crc;
  crc.Update(bytes);
  return ChecksumFault(crc, crc32c);
}

std::optional<Error> ChecksumFault(const Crc32c& bytes, std::optional<uint32_t> crc32c) {
  if (!crc32c || bytes.value() == *crc32c) return std::nullopt;
  return Error(
      ErrorCode::kCorruptData,
      fmt::format("these bytes have the CRC32C {:08x}, and those that were indexed had {:08x}: the record is "
                  "damaged",
                  bytes.value(), *crc32c));
}

}  // namespace bucketline
