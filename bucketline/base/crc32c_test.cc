#include "bucketline/base/crc32c.h"

#include <string>

#include <gtest/gtest.h>

#include "bucketline/base/crc.h"

namespace bucketline {
namespace {

TEST(Crc32cOf, IsThatOfThePublishedVectors) {  // RFC 3720, B.4
  EXPECT_EQ(Crc32cOf("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32cOf(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32cOf(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32cOf(""), 0u);
}

TEST(MaskedCrc32c, RotatesAndMovesAsTensorFlowDoes) {
  EXPECT_EQ(MaskedCrc32c(0), 0xa282ead8u);
  EXPECT_EQ(MaskedCrc32c(0xe3069283u), ((0xe3069283u >> 15) | (0xe3069283u << 17)) + 0xa282ead8u);
}

TEST(Crc32cOf, IsThatOfTheTablesAtEveryLengthAndPlace) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) bytes += static_cast<char>(i * 37 + i / 7);
  for (size_t first = 0; first < 9; ++first) {
    for (size_t length = 0; first + length <= bytes.size(); ++length) {
      const std::string_view part = std::string_view(bytes).substr(first, length);
      Crc32c tables;
      tables.Update({reinterpret_cast<const uint8_t*>(part.data()), part.size()});
      ASSERT_EQ(Crc32cOf(part), tables.value()) << first << "+" << length;
    }
  }
}

}  // namespace
}  // namespace bucketline
