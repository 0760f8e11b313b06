// The CRCs of S3, gzip and iSCSI: reflected, beginning with and finally xored by all ones.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace bucketline {

// Eight bytes a step, by eight tables.
template <typename Word, Word kReflectedPolynomial>
class Crc {
 public:
  void Update(std::span<const uint8_t> data) {
    Word crc = state_;
    while (data.size() >= 8) {
      uint64_t chunk;
      std::memcpy(&chunk, data.data(), sizeof chunk);  // x86 and ARM as we build for them are little-endian
      chunk ^= crc;
      if constexpr (sizeof(Word) < 8) crc = 0;
      Word next = 0;
      for (size_t i = 0; i < 8; ++i) next ^= kTables[7 - i][(chunk >> (8 * i)) & 0xff];
      crc = next;
      data = data.subspan(8);
    }
    for (const uint8_t byte : data) crc = kTables[0][(crc ^ byte) & 0xff] ^ (crc >> 8);
    state_ = crc;
  }

  Word value() const { return static_cast<Word>(~state_); }

  // The CRC of two pieces one after the other, from the CRC of each and the second's length in bytes.
  static constexpr Word Combine(Word first, Word second, uint64_t second_length) {
    return Multiply(PowerOfX(second_length), first) ^ second;
  }

 private:
  static constexpr int kBits = sizeof(Word) * 8;
  static constexpr Word kOne = Word{1} << (kBits - 1);  // the polynomial 1: bits are reflected

  static constexpr Word ByX(Word a) { return (a >> 1) ^ ((a & 1) != 0 ? kReflectedPolynomial : Word{0}); }
  static constexpr Word Multiply(Word a, Word b) {
    Word product = 0;
    for (Word bit = kOne; bit != 0; bit >>= 1, b = ByX(b)) {
      if ((a & bit) != 0) product ^= b;
    }
    return product;
  }
  // x to the power of 8 * bytes.
  static constexpr Word PowerOfX(uint64_t bytes) {
    Word power = kOne;
    Word square = kOne >> 8;  // x^8
    for (; bytes != 0; bytes >>= 1, square = Multiply(square, square)) {
      if ((bytes & 1) != 0) power = Multiply(power, square);
    }
    return power;
  }

  using Tables = std::array<std::array<Word, 256>, 8>;
  static constexpr Tables kTables = [] {
    Tables tables{};
    for (Word i = 0; i < 256; ++i) {
      Word crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = ByX(crc);
      tables[0][i] = crc;
    }
    for (size_t t = 1; t < 8; ++t) {
      for (size_t i = 0; i < 256; ++i) {
        const Word before = tables[t - 1][i];
        tables[t][i] = tables[0][before & 0xff] ^ (before >> 8);
      }
    }
    return tables;
  }();

  Word state_ = static_cast<Word>(~Word{0});
};

using Crc32 = Crc<uint32_t, 0xedb88320u>;              // gzip, PNG
using Crc32c = Crc<uint32_t, 0x82f63b78u>;             // iSCSI, TFRecord
using Crc64Nvme = Crc<uint64_t, 0x9a6c9329ac4bc9b5u>;  // NVMe, S3's own default

inline uint32_t Crc32cOf(std::string_view bytes) {
  Crc32c crc;
  crc.Update({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  return crc.value();
}

}  // namespace bucketline
