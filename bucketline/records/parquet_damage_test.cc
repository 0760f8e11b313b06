// Parquet files that are cut off, lie, or hold what cannot be read by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/parquet_format.h"
#include "bucketline/records/parquet_testing.h"
#include "bucketline/records/records_testing.h"
#include "bucketline/records/shard_testing.h"

namespace bucketline {
namespace {

using namespace records_testing;  // NOLINT(google-build-using-namespace): the writer's words
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Found Scan(const std::string& file, std::string_view label = "") {
  return ScanText(ScanParquet, file, label);
}

std::string Images(const std::string& pages, int64_t rows, TestColumn column = {.name = "image"}) {
  return ParquetFile({std::move(column)}, {{.rows = rows, .pages = {pages}}});
}

std::string OneImage(const TestPage& page) { return Images(DataPage(PlainBytes({"first"}), page), 1); }

// What is skipped of a file, which must be one thing.
std::string Skipped(const std::string& file, std::string_view label = "") {
  const Found found = Scan(file, label);
  EXPECT_EQ(found.damage, "");
  EXPECT_EQ(found.skipped.size(), 1u);
  return found.skipped.empty() ? "" : found.skipped.front();
}

std::string Refusal(const std::string& file, std::string_view label = "") {
  return MessageOf(ErrorCode::kUnsupported, [&] { Scan(file, label); });
}

TEST(ParquetDamage, AFileThatIsCutOffIsDamaged) {
  const std::string whole = ImageFile({"first", "second"}, {3, 4});
  for (size_t size = 0; size < whole.size(); ++size) {
    const Found found = Scan(whole.substr(0, size), "label");
    EXPECT_NE(found.damage, "") << size;
    EXPECT_THAT(found.samples, IsEmpty());
  }
  EXPECT_THAT(Scan(whole.substr(0, whole.size() - 1)).damage,
              AllOf(HasSubstr("at byte"), HasSubstr("ends with \"PAR1\", and this one does not")));
  EXPECT_THAT(Scan("PAR1PAR1").damage, HasSubstr("8 bytes are no Parquet file"));
}

TEST(ParquetDamage, FootersThatLie) {
  const std::string data = "PAR1 some bytes ";
  EXPECT_THAT(Scan(data + Fixed32(1000) + "PAR1").damage,
              HasSubstr("the footer is said to have 1000 bytes, and the file has 24"));
  EXPECT_THAT(Scan(data + ParquetEnd("\x15nonsense")).damage,
              AllOf(HasSubstr("at byte 16"), HasSubstr("does not parse")));
  const auto schema = [&](const std::vector<ThriftWriter>& elements) {
    return Scan(data + ParquetEnd(ThriftWriter().List(2, elements).Bytes())).damage;
  };
  const ThriftWriter root = ThriftWriter().Text(4, "schema").Integer(5, 1);
  const ThriftWriter leaf = ThriftWriter().Integer(1, kByteArrays).Integer(3, kAlways).Text(4, "image");
  EXPECT_EQ(schema({root, leaf}), "");
  EXPECT_THAT(schema({root}), HasSubstr("the schema ends too early"));
  EXPECT_THAT(schema({root, leaf, leaf}), HasSubstr("no tree"));
  EXPECT_THAT(schema(std::vector<ThriftWriter>(80, root)), HasSubstr("no tree"));
  EXPECT_THAT(schema({root, ThriftWriter().Integer(1, 8)}), HasSubstr("the type 8"));
  EXPECT_THAT(schema({root, ThriftWriter().Integer(1, kByteArrays).Text(4, std::string(2000, 'n'))}),
              HasSubstr("too long"));
  const ThriftWriter group = ThriftWriter().List(1, {ThriftWriter(), ThriftWriter()}).Integer(3, 1);
  EXPECT_THAT(Scan(data + ParquetEnd(ThriftWriter().List(2, {root, leaf}).List(4, {group}).Bytes())).damage,
              HasSubstr("row group 0 has 2 columns, and the schema has 1"));
  const ThriftWriter many = ThriftWriter().List(1, {ThriftWriter()}).Integer(3, int64_t{1} << 31);
  EXPECT_THAT(
      Scan(data + ParquetEnd(ThriftWriter().List(2, {root, leaf}).List(4, {many, many, many}).Bytes()))
          .damage,
      HasSubstr("more than 4294967296 rows"));
  const ThriftWriter rows = ThriftWriter().List(1, {ThriftWriter()}).Integer(3, -1);
  EXPECT_THAT(Scan(data + ParquetEnd(ThriftWriter().List(2, {root, leaf}).List(4, {rows}).Bytes())).damage,
              HasSubstr("is -1"));
}

TEST(ParquetDamage, AColumnOutsideTheFile) {
  const ThriftWriter root = ThriftWriter().Text(4, "schema").Integer(5, 1);
  const ThriftWriter leaf = ThriftWriter().Integer(1, kByteArrays).Integer(3, kAlways).Text(4, "image");
  const auto chunk = [&](int64_t offset, int64_t length) {
    const ThriftWriter data = ThriftWriter().Integer(4, 0).Integer(7, length).Integer(9, offset);
    const ThriftWriter group = ThriftWriter().List(1, {ThriftWriter().Struct(3, data)}).Integer(3, 1);
    return "PAR1" + ParquetEnd(ThriftWriter().List(2, {root, leaf}).List(4, {group}).Bytes());
  };
  EXPECT_THAT(Skipped(chunk(4, 100000)), HasSubstr("\"image\" of row group 0 is said to be bytes 4+100000"));
  EXPECT_THAT(Skipped(chunk(1 << 30, 1)), HasSubstr("is said to be bytes 1073741824+1"));
}

TEST(ParquetDamage, PagesThatLie) {
  EXPECT_THAT(Skipped(OneImage({.values = 1, .size_is_off_by = 1000})),
              HasSubstr("with 1009 bytes leaves its column"));
  EXPECT_THAT(Skipped(OneImage({.values = 1, .unpacked_is_off_by = 3})),
              HasSubstr("has 9 bytes, and 12 unpacked"));
  EXPECT_THAT(Skipped(OneImage({.values = 2})), HasSubstr("1 values more than the row group has rows"));
  EXPECT_THAT(Skipped(OneImage({.values = 0})), HasSubstr("holds more values than the 0"));
  EXPECT_THAT(Skipped(OneImage({.values = -1})), HasSubstr("does not parse"));
  EXPECT_THAT(Skipped(Images("\xff\xff\xff", 1)), HasSubstr("header that does not parse"));
  EXPECT_THAT(Skipped(Images(DataPage(PlainBytes({"a"}), {.values = 1}), 2)),
              HasSubstr("has fewer rows than the group"));
  const std::string two = DataPage(PlainBytes({"a"}), {.values = 2});
  EXPECT_THAT(Skipped(Images(two, 2)), HasSubstr("holds 1 values, fewer than it has rows"));
  EXPECT_THAT(Skipped(Images(DataPage(Fixed32(9) + "short", {.values = 1}), 1)),
              HasSubstr("5 bytes for value 0, whose length is 9"));
  EXPECT_THAT(Skipped(Images(DataPage("abc", {.values = 1}), 1)),
              HasSubstr("ends within the length of value 0"));
}

TEST(ParquetDamage, LevelsAndIndicesThatLie) {
  const TestColumn maybe{.name = "image", .repetition = kMaybe};
  EXPECT_THAT(Skipped(Images(DataPage(Fixed32(100) + "x", {.values = 1}), 1, maybe)),
              HasSubstr("levels of 100 bytes"));
  EXPECT_THAT(Skipped(Images(DataPage("x", {.values = 1}), 1, maybe)), HasSubstr("levels of 0 bytes"));
  EXPECT_THAT(Skipped(Images(DataPage(Levels({}) + PlainBytes({"a"}), {.values = 1}), 1, maybe)),
              HasSubstr("too early"));
  const std::string more = DataPage(Levels({1, 0}) + PlainBytes({"a", "b"}), {.values = 2});
  EXPECT_THAT(Skipped(Images(more, 2, maybe)), HasSubstr("1 values more"));
  const std::string dictionary = DictionaryPage(PlainBytes({"a"}), {.values = 1});
  const TestPage indices{.values = 1, .encoding = kIndexValues};
  EXPECT_THAT(Skipped(Images(dictionary + DataPage(Indices({1}), indices), 1)),
              HasSubstr("the index 1 into a dictionary of 1"));
  EXPECT_THAT(Skipped(Images(DataPage(Indices({0}), indices), 1)), HasSubstr("a dictionary of 0"));
  EXPECT_THAT(Skipped(Images(dictionary + DataPage("\x21\x02", indices), 1)), HasSubstr("more than 32 bits"));
  EXPECT_THAT(Skipped(Images(dictionary + DataPage("", indices), 1)), HasSubstr("too early"));
  const std::string booleans = DictionaryPage("\x01", {.values = 1}) + DataPage(Indices({0}), indices);
  EXPECT_THAT(Skipped(Images(booleans, 1, {.name = "label", .type = kBooleans}), "label"),
              HasSubstr("dictionary of booleans"));
}

TEST(ParquetDamage, TheNextRowGroupIsReadAllTheSame) {
  const std::string good = DataPage(PlainBytes({"good"}), {.values = 1});
  const std::string bad = DataPage(PlainBytes({"bad"}), {.values = 1, .size_is_off_by = 1000});
  const Found found =
      Scan(ParquetFile({{.name = "image"}}, {{.rows = 1, .pages = {bad}}, {.rows = 1, .pages = {good}}}));
  EXPECT_THAT(found.skipped, ElementsAre(HasSubstr("row group 0")));
  ASSERT_EQ(found.samples.size(), 1u);
  EXPECT_EQ(found.samples[0].key, "0000000001");
}

TEST(ParquetDamage, WhatCannotBeReadByItselfSaysWhatToDo) {
  const std::string page = DataPage(PlainBytes({"first"}), {.values = 1});
  EXPECT_THAT(Refusal(Images(page, 1, {.name = "image", .codec = 1})),
              AllOf(HasSubstr("column \"image\" of row group 0 is compressed with SNAPPY at byte 4"),
                    HasSubstr("write_table(table, path, compression=\"NONE\", use_dictionary=False)"),
                    HasSubstr("bucketline.parquet.convert")));
  EXPECT_THAT(Refusal(Images(page, 1, {.name = "image", .codec = 6})), HasSubstr("ZSTD"));
  EXPECT_THAT(Refusal(Images(page, 1, {.name = "image", .codec = 99})), HasSubstr("codec 99"));
  EXPECT_THAT(Refusal(OneImage({.values = 1, .encoding = kDeltaValues})),
              HasSubstr("is encoded as DELTA_LENGTH_BYTE_ARRAY"));
  EXPECT_THAT(Refusal(OneImage({.values = 1, .encoding = 77})), HasSubstr("is encoded as encoding 77"));
  EXPECT_THAT(Refusal(Images(DictionaryPage("", {.values = 0, .encoding = kDeltaValues}), 1)),
              HasSubstr("has a dictionary in DELTA"));
  EXPECT_THAT(Refusal(Images(page, 1, {.name = "image", .encrypted = true})), HasSubstr("is encrypted"));
  EXPECT_THAT(Refusal(Images(page, 1, {.name = "image", .file = "other"})), HasSubstr("is in another file"));
  EXPECT_THAT(Refusal("PAR1 secret" + ParquetEnd("secret", "PARE")), HasSubstr("encrypted, footer and all"));
  EXPECT_THAT(Refusal("\x1f\x8b" + std::string(100, 'z')), HasSubstr("gzip"));
  const TestPage packed{.values = 1, .level_encoding = 4};
  EXPECT_THAT(Refusal(Images(DataPage("", packed), 1, {.name = "image", .repetition = kMaybe})),
              HasSubstr("levels in BIT_PACKED"));
  const std::string delta = DataPage("", {.values = 1, .encoding = 5});
  EXPECT_THAT(Refusal(Images(delta, 1, {.name = "label", .type = kInts64}), "label"),
              HasSubstr("DELTA_BINARY_PACKED"));
}

TEST(ParquetDamage, APageThatItsWriterLeftUncompressedIsRead) {
  const std::string pages = DataPage2("", PlainBytes({"first"}), {.values = 1}) +
                            DataPage2("", PlainBytes({"second"}), {.values = 1}, true);
  EXPECT_EQ(
      Scan(Images(DataPage2("", PlainBytes({"first"}), {.values = 1}), 1, {.name = "image", .codec = 1}))
          .samples.size(),
      1u);
  EXPECT_THAT(Refusal(Images(pages, 2, {.name = "image", .codec = 1})), HasSubstr("SNAPPY"));
}

}  // namespace
}  // namespace bucketline
