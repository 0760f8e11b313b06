#include "bucketline/base/crc.h"

#include <vector>

#include <gtest/gtest.h>

#include "bucketline/base/random.h"

namespace bucketline {
namespace {

// The definition, a bit at a time.
template <typename Word>
Word BitByBit(Word polynomial, std::span<const uint8_t> data) {
  Word crc = static_cast<Word>(~Word{0});
  for (const uint8_t byte : data) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : Word{0});
  }
  return static_cast<Word>(~crc);
}

std::vector<uint8_t> RandomBytes(size_t size) {
  CounterRng random(size, 0, 0);
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.NextU64());
  return bytes;
}

template <typename Sum>
auto Of(std::span<const uint8_t> data) {
  Sum sum;
  sum.Update(data);
  return sum.value();
}

template <typename Sum, typename Word>
void ExpectDefinition(Word polynomial) {
  for (const size_t size : {0, 1, 7, 8, 9, 15, 16, 17, 100, 1023, 4096}) {
    const std::vector<uint8_t> data = RandomBytes(size);
    const Word expected = BitByBit<Word>(polynomial, data);
    EXPECT_EQ(Of<Sum>(data), expected) << size;
    for (const size_t cut : {size_t{0}, size / 3, size / 2, size}) {
      const std::span<const uint8_t> all(data);
      Sum in_pieces;
      in_pieces.Update(all.first(cut));
      in_pieces.Update(all.subspan(cut));
      EXPECT_EQ(in_pieces.value(), expected) << size << " cut at " << cut;
      EXPECT_EQ(Sum::Combine(Of<Sum>(all.first(cut)), Of<Sum>(all.subspan(cut)), size - cut), expected)
          << size << " combined at " << cut;
    }
  }
}

TEST(Crc, IsWhatItsDefinitionSaysInPiecesAndCombined) {
  ExpectDefinition<Crc32>(uint32_t{0xedb88320});
  ExpectDefinition<Crc32c>(uint32_t{0x82f63b78});
  ExpectDefinition<Crc64Nvme>(uint64_t{0x9a6c9329ac4bc9b5});
}

}  // namespace
}  // namespace bucketline
