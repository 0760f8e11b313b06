#include "bucketline/records/thrift_reader.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/records/parquet_testing.h"
#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::MessageOf;
using records_testing::ThriftWriter;
using ::testing::HasSubstr;

// What field 2 of a struct holds, when nothing else is taken.
int64_t SecondField(const std::string& bytes) {
  ThriftReader reader(bytes);
  int64_t value = -1;
  for (ThriftStruct fields(reader); fields.Next();) {
    if (fields.id() == 2) value = fields.Integer();
  }
  EXPECT_EQ(reader.left(), 0u);
  return value;
}

TEST(ThriftReader, FieldsAreTaken) {
  const std::string bytes = ThriftWriter()
                                .Integer(1, -3, ThriftType::kI16)
                                .Text(2, "text")
                                .Flag(3, true)
                                .Struct(4, ThriftWriter().Integer(1, int64_t{1} << 40))
                                .List(5, {ThriftWriter().Integer(1, 7), ThriftWriter()})
                                .Flag(6, false)
                                .Bytes();
  ThriftReader reader(bytes);
  ThriftStruct fields(reader);
  ASSERT_TRUE(fields.Next());
  EXPECT_EQ(fields.Integer(), -3);
  ASSERT_TRUE(fields.Next());
  EXPECT_EQ(fields.Text(), "text");
  ASSERT_TRUE(fields.Next());
  EXPECT_TRUE(fields.Flag());
  ASSERT_TRUE(fields.Next());
  fields.Enter();
  ThriftStruct inner(reader);
  ASSERT_TRUE(inner.Next());
  EXPECT_EQ(inner.Count(), uint64_t{1} << 40);
  EXPECT_FALSE(inner.Next());
  ASSERT_TRUE(fields.Next());
  EXPECT_EQ(fields.id(), 5);
  ASSERT_EQ(fields.List(ThriftType::kStruct), 2u);
  ThriftStruct first(reader);
  ASSERT_TRUE(first.Next());
  EXPECT_EQ(first.Integer(), 7);
  EXPECT_FALSE(first.Next());
  ThriftStruct second(reader);
  EXPECT_FALSE(second.Next());
  ASSERT_TRUE(fields.Next());
  EXPECT_FALSE(fields.Flag());
  EXPECT_FALSE(fields.Next());
}

TEST(ThriftReader, ValuesOfEveryTypeAreSteppedOver) {
  const std::string map =
      std::string("\x02\x8c", 2) + std::string("\x01x\x00\x01y\x00", 6);  // texts to structs
  const std::pair<ThriftType, std::string> values[] = {
      {ThriftType::kTrue, ""},
      {ThriftType::kFalse, ""},
      {ThriftType::kByte, "\x7f"},
      {ThriftType::kI16, "\x05"},
      {ThriftType::kI32, "\xff\x01"},
      {ThriftType::kI64, "\xff\xff\x01"},
      {ThriftType::kDouble, "12345678"},
      {ThriftType::kBinary, "\x03xyz"},
      {ThriftType::kList, std::string("\x31\x01\x02\x01", 4)},  // three booleans
      {ThriftType::kSet, std::string("\x25\x08\x0a", 3)},       // two integers
      {ThriftType::kMap, map},
      {ThriftType::kMap, std::string(1, '\0')},
      {ThriftType::kUuid, "0123456789abcdef"},
      {ThriftType::kStruct, ThriftWriter().Text(3, "x").Flag(4, true).Bytes()},
      {ThriftType::kStruct, std::string("\x05\xc8\x01\x02\x00", 5)},  // a field numbered 100 in full
  };
  for (const auto& [type, value] : values) {
    SCOPED_TRACE(static_cast<int>(type));
    EXPECT_EQ(SecondField(ThriftWriter().Field(1, type, value).Integer(2, 5).Bytes()), 5);
  }
}

TEST(ThriftReader, AnotherTypeIsRefused) {
  const auto take = [](auto what) {
    return MessageOf(ErrorCode::kCorruptData, [&] {
      const std::string bytes = ThriftWriter().Field(1, ThriftType::kDouble, "12345678").Bytes();
      ThriftReader reader(bytes);
      ThriftStruct fields(reader);
      ASSERT_TRUE(fields.Next());
      what(fields);
    });
  };
  EXPECT_THAT(take([](ThriftStruct& fields) { fields.Integer(); }), HasSubstr("field 1"));
  EXPECT_THAT(take([](ThriftStruct& fields) { fields.Text(); }), HasSubstr("another type"));
  EXPECT_THAT(take([](ThriftStruct& fields) { fields.Flag(); }), HasSubstr("another type"));
  EXPECT_THAT(take([](ThriftStruct& fields) { fields.Enter(); }), HasSubstr("another type"));
  EXPECT_THAT(take([](ThriftStruct& fields) { fields.List(ThriftType::kStruct); }),
              HasSubstr("another type"));
}

TEST(ThriftReader, NonsenseIsRefused) {
  const auto refused = [](const std::string& bytes) {
    return MessageOf(ErrorCode::kCorruptData, [&] { SecondField(bytes); });
  };
  EXPECT_THAT(refused(ThriftWriter().Field(1, ThriftType::kList, "\x7c").Bytes()),
              HasSubstr("longer than itself"));
  EXPECT_THAT(refused(ThriftWriter().Field(1, ThriftType::kMap, "\x7f\x11").Bytes()),
              HasSubstr("longer than itself"));
  EXPECT_THAT(refused("\x1e"), HasSubstr("unknown type"));
  EXPECT_THAT(refused("\x10"), HasSubstr("no type"));
  EXPECT_THAT(refused(std::string(100, '\x1c')), HasSubstr("too deep"));
  EXPECT_THAT(refused("\x19" + std::string(100, '\x19')), HasSubstr("too deep"));
  EXPECT_THAT(refused(std::string("\x05\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", 12)),
              HasSubstr("impossible number"));
  ThriftReader reader("");
  EXPECT_THROW(reader.Integer(), Error);
  MessageOf(ErrorCode::kCorruptData, [] {
    const std::string bytes = ThriftWriter().Integer(1, -1).Bytes();
    ThriftReader negative(bytes);
    ThriftStruct fields(negative);
    ASSERT_TRUE(fields.Next());
    fields.Count();
  });
}

TEST(ThriftReader, WhatIsCutOffIsRefused) {
  const std::string whole =
      ThriftWriter().Text(1, "text").Integer(2, 300).Struct(3, ThriftWriter().Text(1, "x")).Bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(SecondField(whole.substr(0, size)), Error) << size;
  }
}

}  // namespace
}  // namespace bucketline
