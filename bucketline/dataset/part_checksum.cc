#include "bucketline/dataset/part_checksum.h"

#include <fmt/format.h>

#include "bucketline/base/crc32c.h"

namespace bucketline {

namespace {

std::optional<Error> Compare(uint32_t actual, std::optional<uint32_t> wanted) {
  if (!wanted || actual == *wanted) return std::nullopt;
  return Error(
      ErrorCode::kCorruptData,
      fmt::format("these bytes have the CRC32C {:08x}, and those that were indexed had {:08x}: the record is "
                  "damaged",
                  actual, *wanted));
}

}  // namespace

std::optional<Error> ChecksumFault(std::span<const uint8_t> bytes, std::optional<uint32_t> crc32c) {
  if (!crc32c) return std::nullopt;
  return Compare(Crc32cOf({reinterpret_cast<const char*>(bytes.data()), bytes.size()}), crc32c);
}

std::optional<Error> ChecksumFault(const Crc32c& bytes, std::optional<uint32_t> crc32c) {
  return Compare(bytes.value(), crc32c);
}

}  // namespace bucketline
