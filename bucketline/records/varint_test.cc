#include "bucketline/records/varint.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

std::string MessageOf(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
    return error.message();
  }
  return "nothing thrown";
}

TEST(Varint, RoundTripsEveryLength) {
  std::vector<uint64_t> values = {0, ~uint64_t{0}};
  for (int bit = 0; bit < 64; ++bit) {
    for (const uint64_t delta : {-1, 0, 1}) values.push_back((uint64_t{1} << bit) + delta);
  }
  std::string bytes;
  for (const uint64_t value : values) AppendVarint(&bytes, value);
  ByteReader reader(bytes);
  for (const uint64_t value : values) EXPECT_EQ(reader.Varint(), value);
  EXPECT_TRUE(reader.done());
}

TEST(Varint, TakesOneByteForEverySevenBits) {
  const auto size = [](uint64_t value) {
    std::string bytes;
    AppendVarint(&bytes, value);
    return bytes.size();
  };
  EXPECT_EQ(size(0), 1u);
  EXPECT_EQ(size(127), 1u);
  EXPECT_EQ(size(128), 2u);
  EXPECT_EQ(size((1 << 21) - 1), 3u);
  EXPECT_EQ(size(~uint64_t{0}), 10u);
}

TEST(Varint, FixedIsLittleEndian) {
  std::string bytes;
  AppendFixed32(&bytes, 0x01020384);
  AppendFixed64(&bytes, 0xf102030405060708);
  EXPECT_EQ(bytes.substr(0, 4), std::string("\x84\x03\x02\x01"));
  ByteReader reader(bytes);
  EXPECT_EQ(reader.Fixed32(), 0x01020384u);
  EXPECT_EQ(reader.left(), 8u);
  EXPECT_EQ(reader.Fixed64(), 0xf102030405060708u);
}

TEST(Varint, SizedTextKeepsEveryByte) {
  const std::string text("a\0b\xff", 4);
  std::string bytes;
  AppendSized(&bytes, text);
  AppendSized(&bytes, "");
  ByteReader reader(bytes);
  EXPECT_EQ(reader.Sized(), text);
  EXPECT_EQ(reader.Sized(), "");
  EXPECT_TRUE(reader.done());
}

TEST(ByteReader, NeverPassesTheEnd) {
  EXPECT_THAT(MessageOf([] { ByteReader("").Byte(); }), HasSubstr("1 bytes are needed where 0 are left"));
  EXPECT_THAT(MessageOf([] { ByteReader("abc").Fixed32(); }), HasSubstr("needed"));
  EXPECT_THAT(MessageOf([] { ByteReader("abcdefg").Fixed64(); }), HasSubstr("needed"));
  EXPECT_THAT(MessageOf([] { ByteReader("\x80").Varint(); }), HasSubstr("needed"));
  EXPECT_THAT(MessageOf([] {
                ByteReader(
                    "\x03"
                    "ab")
                    .Sized();
              }),
              HasSubstr("3 bytes are needed where 2"));
  EXPECT_THAT(MessageOf([] { ByteReader("ab").Take(~uint64_t{0}); }), HasSubstr("needed"));
}

TEST(ByteReader, RefusesNumbersOfMoreThan64Bits) {
  const std::string nine(9, '\xff');
  EXPECT_EQ(ByteReader(nine + "\x01").Varint(), ~uint64_t{0});
  EXPECT_THAT(MessageOf([&] { ByteReader(nine + "\x02").Varint(); }), HasSubstr("64 bits"));
  EXPECT_THAT(MessageOf([&] { ByteReader(nine + "\x81\x01").Varint(); }), HasSubstr("64 bits"));
}

}  // namespace
}  // namespace bucketline
