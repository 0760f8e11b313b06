#include "bucketline/records/varint.h"

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

void AppendLittleEndian(std::string* out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

uint64_t LittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

}  // namespace

void AppendVarint(std::string* out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

void AppendFixed32(std::string* out, uint32_t value) { AppendLittleEndian(out, value, 4); }

void AppendFixed64(std::string* out, uint64_t value) { AppendLittleEndian(out, value, 8); }

void AppendSized(std::string* out, std::string_view text) {
  AppendVarint(out, text.size());
  out->append(text);
}

uint8_t ByteReader::Byte() { return static_cast<uint8_t>(Take(1).front()); }

uint64_t ByteReader::Varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint64_t byte = Byte();
    const uint64_t digit = byte & 0x7f;
    if (shift == 63 && digit > 1) break;
    value |= digit << shift;
    if (byte < 0x80) return value;
  }
  throw Error(ErrorCode::kCorruptData, "a number has more than 64 bits");
}

uint32_t ByteReader::Fixed32() { return static_cast<uint32_t>(LittleEndian(Take(4))); }

uint64_t ByteReader::Fixed64() { return LittleEndian(Take(8)); }

std::string_view ByteReader::Take(uint64_t size) {
  if (size > bytes_.size()) {
    throw Error(ErrorCode::kCorruptData,
                fmt::format("{} bytes are needed where {} are left", size, bytes_.size()));
  }
  const std::string_view taken = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  return taken;
}

}  // namespace bucketline
