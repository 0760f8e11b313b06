#include "bucketline/base/crc32c.h"

#include <bit>
#include <cstring>

#include "bucketline/base/crc.h"

namespace bucketline {
namespace {

uint32_t ByTables(std::string_view bytes) {
  Crc32c crc;
  crc.Update({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  return crc.value();
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t ByInstruction(std::string_view bytes) {
  uint64_t crc = ~uint32_t{0};
  while (bytes.size() >= sizeof(uint64_t)) {
    uint64_t chunk;
    std::memcpy(&chunk, bytes.data(), sizeof chunk);
    crc = __builtin_ia32_crc32di(crc, chunk);
    bytes.remove_prefix(sizeof chunk);
  }
  auto rest = static_cast<uint32_t>(crc);
  for (const char byte : bytes) rest = __builtin_ia32_crc32qi(rest, static_cast<uint8_t>(byte));
  return ~rest;
}
#endif

}  // namespace

uint32_t Crc32cOf(std::string_view bytes) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ByInstruction(bytes);
#endif
  return ByTables(bytes);
}

uint32_t MaskedCrc32c(uint32_t crc32c) { return std::rotr(crc32c, 15) + 0xa282ead8u; }

}  // namespace bucketline
