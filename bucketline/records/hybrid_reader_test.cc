#include "bucketline/records/hybrid_reader.h"

#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/shard_scan.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

// Bits one by one: nothing of the reader is in it.
std::string Pack(const std::vector<uint32_t>& values, unsigned width) {
  std::string bytes((values.size() * width + 7) / 8, '\0');
  size_t bit = 0;
  for (const uint32_t value : values) {
    for (unsigned i = 0; i < width; ++i, ++bit) {
      if ((value >> i & 1) != 0) bytes[bit / 8] = static_cast<char>(bytes[bit / 8] | 1 << bit % 8);
    }
  }
  return bytes;
}

TEST(HybridReader, RunsAndPackedGroupsInAnyOrder) {
  std::mt19937_64 random(5);
  for (unsigned width = 0; width <= 32; ++width) {
    SCOPED_TRACE(width);
    const uint64_t mask = (uint64_t{1} << width) - 1;
    std::string bytes;
    std::vector<uint32_t> expected;
    for (int run = 0; run < 20; ++run) {
      if (random() % 2 == 0) {
        const size_t groups = 1 + random() % 3;
        std::vector<uint32_t> values;
        for (size_t i = 0; i < groups * 8; ++i) values.push_back(static_cast<uint32_t>(random() & mask));
        AppendVarint(&bytes, groups << 1 | 1);
        bytes += Pack(values, width);
        expected.insert(expected.end(), values.begin(), values.end());
      } else {
        const size_t count = random() % 200;
        const auto value = static_cast<uint32_t>(random() & mask);
        AppendVarint(&bytes, count << 1);
        for (unsigned bit = 0; bit < width; bit += 8) bytes += static_cast<char>(value >> bit);
        expected.insert(expected.end(), count, value);
      }
    }
    HybridReader reader(bytes, width, 0);
    for (const uint32_t value : expected) ASSERT_EQ(reader.Next(), value);
    EXPECT_THROW(reader.Next(), ShardDamage);
  }
}

TEST(HybridReader, TheLastGroupMayBeCutToItsBytes) {
  HybridReader reader(std::string("\x03\x35", 2), 4, 0);  // one group of eight, of which two are there
  EXPECT_EQ(reader.Next(), 5u);
  EXPECT_EQ(reader.Next(), 3u);
  EXPECT_THROW(reader.Next(), ShardDamage);
}

TEST(HybridReader, DamageNamesItsPlace) {
  const auto what = [](std::string bytes, unsigned width) {
    try {
      HybridReader(std::move(bytes), width, 77).Next();
    } catch (const ShardDamage& damage) {
      EXPECT_EQ(damage.offset(), 77u);
      return std::string(damage.what());
    }
    return std::string();
  };
  EXPECT_THAT(what("", 1), HasSubstr("at byte 77: levels or indices end too early"));
  EXPECT_THAT(what("\x02", 1), HasSubstr("too early"));
  EXPECT_THAT(what("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 1), HasSubstr("too early"));
  EXPECT_THAT(what("\x02", 33), HasSubstr("more than 32 bits"));
}

}  // namespace
}  // namespace bucketline
