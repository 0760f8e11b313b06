// Varint: integers of 1 to 10 bytes (LEB128), fixed little-endian ones, and a reader that never leaves its
// bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bucketline {

void AppendVarint(std::string* out, uint64_t value);
void AppendFixed32(std::string* out, uint32_t value);
void AppendFixed64(std::string* out, uint64_t value);
void AppendSized(std::string* out, std::string_view text);  // a varint length, then the text

// Reads what the functions above wrote. Every read throws kCorruptData instead of passing the end or
// overflowing.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  bool done() const { return bytes_.empty(); }
  size_t left() const { return bytes_.size(); }

  uint8_t Byte();
  uint64_t Varint();
  uint32_t Fixed32();
  uint64_t Fixed64();
  std::string_view Take(uint64_t size);  // a view of the bytes given to the constructor
  std::string_view Sized() { return Take(Varint()); }

 private:
  std::string_view bytes_;
};

}  // namespace bucketline
