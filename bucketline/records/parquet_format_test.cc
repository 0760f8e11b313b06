#include "bucketline/records/parquet_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/parquet_testing.h"
#include "bucketline/records/records_testing.h"
#include "bucketline/records/shard_testing.h"

namespace bucketline {
namespace {

using namespace records_testing;  // NOLINT(google-build-using-namespace): the writer's words
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Found Scan(const std::string& file, std::string_view label = "") {
  return ScanText(ScanParquet, file, label);
}

// What the parts called `name` hold; "-" where there is none.
std::vector<std::string> Parts(const std::string& file, const Found& found, std::string_view name = "image") {
  std::vector<std::string> parts;
  for (const ShardSample& sample : found.samples) {
    for (const ShardMember& member : sample.members) {
      if (member.name == name)
        parts.push_back(member.no_part ? "-" : file.substr(member.offset, member.length));
    }
  }
  return parts;
}

std::vector<LabelValue> Values(const Found& found, std::string_view name = "label") {
  std::vector<LabelValue> values;
  for (const ShardSample& sample : found.samples) {
    for (const ShardMember& member : sample.members) {
      if (member.name == name) values.push_back(member.value.value_or("-"));
    }
  }
  return values;
}

// A file of one column and one row group.
std::string OneColumn(const TestColumn& column, int64_t rows, const std::string& pages) {
  return ParquetFile({column}, {{.rows = rows, .pages = {pages}}});
}

TEST(ParquetFormat, ValuesAreRangesOfTheFile) {
  const std::string file = ImageFile({"first", "", "third"}, {7, -8, 9});
  const Found found = Scan(file, "label");
  EXPECT_EQ(found.damage, "");
  EXPECT_THAT(Parts(file, found), ElementsAre("first", "", "third"));
  EXPECT_THAT(Values(found),
              ElementsAre(LabelValue(int64_t{7}), LabelValue(int64_t{-8}), LabelValue(int64_t{9})));
  EXPECT_EQ(found.samples[2].key, "0000000002");
  EXPECT_EQ(found.samples[2].offset, file.find("third"));
  EXPECT_EQ(found.samples[2].members[1].no_part, "is an integer");
  EXPECT_THAT(Values(Scan(file)), ElementsAre(LabelValue("-"), LabelValue("-"), LabelValue("-")));
}

TEST(ParquetFormat, NullsAreNoParts) {
  const std::string content = Levels({1, 0, 1}) + PlainBytes({"first", "third"});
  const std::string file =
      OneColumn({.name = "image", .repetition = kMaybe}, 3, DataPage(content, {.values = 3}));
  const Found found = Scan(file, "image");
  EXPECT_THAT(Parts(file, found), ElementsAre("first", "-", "third"));
  EXPECT_EQ(found.samples[1].members[0].no_part, "is null");
  EXPECT_THAT(Values(found, "image"), ElementsAre(LabelValue("first"), LabelValue("-"), LabelValue("third")));
}

TEST(ParquetFormat, PagesOfVersionTwo) {
  const std::string levels = Runs({0, 1, 1});
  const std::string file = OneColumn({.name = "image", .repetition = kMaybe}, 4,
                                     DataPage2(levels, PlainBytes({"second", "third"}), {.values = 3}) +
                                         DataPage2(Runs({1}), PlainBytes({"fourth"}), {.values = 1}));
  EXPECT_THAT(Parts(file, Scan(file)), ElementsAre("-", "second", "third", "fourth"));
}

TEST(ParquetFormat, DictionariesHoldEachValueOnce) {
  const std::string pages = DictionaryPage(PlainBytes({"a", "bb"}), {.values = 2}) +
                            DataPage(Indices({1, 0, 1}), {.values = 3, .encoding = kIndexValues}) +
                            DataPage(PlainBytes({"plain"}), {.values = 1});
  const std::string file = OneColumn({.name = "image"}, 4, pages);
  const Found found = Scan(file, "image");
  EXPECT_THAT(Parts(file, found), ElementsAre("bb", "a", "bb", "plain"));
  EXPECT_EQ(found.samples[0].members[0].offset, found.samples[2].members[0].offset);
  EXPECT_THAT(Values(found, "image"),
              ElementsAre(LabelValue("bb"), LabelValue("a"), LabelValue("bb"), LabelValue("plain")));
}

TEST(ParquetFormat, AFieldOfAStructHasItsPathAndTheStructsName) {
  const std::string content = Levels({2, 1, 0}) + PlainBytes({"first"});  // an image, one without bytes, none
  const std::string file = OneColumn({.name = "bytes", .repetition = kMaybe, .group = "image"}, 3,
                                     DataPage(content, {.values = 3}));
  const Found found = Scan(file);
  EXPECT_THAT(Parts(file, found, "image"), ElementsAre("first", "-", "-"));
  EXPECT_THAT(Parts(file, found, "image.bytes"), ElementsAre("first", "-", "-"));
}

TEST(ParquetFormat, ValuesOfFixedLength) {
  const TestColumn column{.name = "image", .type = kFixedArrays, .fixed_length = 3};
  const std::string file = OneColumn(column, 2, DataPage("onetwo", {.values = 2}));
  EXPECT_THAT(Parts(file, Scan(file)), ElementsAre("one", "two"));
  EXPECT_THAT(Scan(OneColumn(column, 2, DataPage("onetw", {.values = 2}))).skipped,
              ElementsAre(HasSubstr("has 5 bytes")));
  EXPECT_THAT(MessageOf(ErrorCode::kUnsupported, [&] { Scan(file, "image"); }), HasSubstr("fixed length"));
}

TEST(ParquetFormat, LabelsOfEveryType) {
  const auto label = [](TestColumn column, const std::string& content, int64_t encoding = kPlainValues) {
    column.name = "label";
    const Found found =
        Scan(OneColumn(column, 1, DataPage(content, {.values = 1, .encoding = encoding})), "label");
    EXPECT_THAT(found.skipped, IsEmpty());
    return Values(found).at(0);
  };
  EXPECT_EQ(label({.name = "", .type = kInts32}, Fixed32(0xFFFFFFFF)), LabelValue(int64_t{-1}));
  EXPECT_EQ(label({.name = "", .type = kInts32, .converted = 13}, Fixed32(0xFFFFFFFF)),
            LabelValue(int64_t{0xFFFFFFFF}));
  EXPECT_EQ(label({.name = "", .type = kInts64}, PlainIntegers({-5})), LabelValue(int64_t{-5}));
  EXPECT_EQ(label({.name = "", .type = kFloats}, Fixed32(0x3FC00000)), LabelValue(1.5));
  EXPECT_EQ(label({.name = "", .type = kDoubles}, PlainIntegers({0x3FF8000000000000})), LabelValue(1.5));
  EXPECT_EQ(label({.name = "", .type = kByteArrays}, PlainBytes({"cat"})), LabelValue("cat"));
  EXPECT_EQ(label({.name = "", .type = kBooleans}, "\x01"), LabelValue(int64_t{1}));
  EXPECT_EQ(label({.name = "", .type = kBooleans}, Levels({1}), 3), LabelValue(int64_t{1}));
  const auto refused = [](const TestColumn& column) {
    return MessageOf(ErrorCode::kUnsupported,
                     [&] { Scan(OneColumn(column, 1, DataPage("", {.values = 1})), "label"); });
  };
  EXPECT_THAT(refused({.name = "label", .type = kInts64, .repetition = kMany}),
              HasSubstr("\"label\" is a list"));
  EXPECT_THAT(refused({.name = "label", .type = kInts32, .converted = 5}), HasSubstr("is a decimal"));
  EXPECT_THAT(refused({.name = "label", .type = kInts96}), HasSubstr("96 bits"));
}

TEST(ParquetFormat, BooleansFollowEachOtherInBits) {
  const std::string file =
      OneColumn({.name = "label", .type = kBooleans}, 9, DataPage("\xA5\x01", {.values = 9}));
  std::string bits;
  for (const LabelValue& value : Values(Scan(file, "label")))
    bits += std::get<int64_t>(value) == 1 ? '1' : '0';
  EXPECT_EQ(bits, "101001011");
  EXPECT_THAT(
      Scan(OneColumn({.name = "label", .type = kBooleans}, 9, DataPage("\xA5", {.values = 9})), "label")
          .skipped,
      ElementsAre(HasSubstr("fewer values than it has rows")));
}

TEST(ParquetFormat, ListsAreNoParts) {
  const std::string file = OneColumn({.name = "image", .repetition = kMany}, 1, DataPage("", {.values = 1}));
  EXPECT_EQ(Scan(file).samples.at(0).members.at(0).no_part, "is a list");
}

TEST(ParquetFormat, RowsGoOnInTheNextGroup) {
  const auto page = [](const char* value) { return DataPage(PlainBytes({value}), {.values = 1}); };
  const std::string file =
      ParquetFile({{.name = "image"}}, {{.rows = 1, .pages = {page("first")}},
                                        {.rows = 0, .pages = {""}},
                                        {.rows = 2, .pages = {page("second") + page("third")}}});
  const Found found = Scan(file);
  EXPECT_THAT(Parts(file, found), ElementsAre("first", "second", "third"));
  EXPECT_EQ(found.samples[2].key, "0000000002");
}

TEST(ParquetFormat, AHeaderMayBeLong) {
  const TestPage page{.values = 1, .statistics = std::string(50000, 's')};
  const std::string file = OneColumn({.name = "image"}, 1, DataPage(PlainBytes({"first"}), page));
  EXPECT_THAT(Parts(file, Scan(file)), ElementsAre("first"));
}

TEST(ParquetFormat, ClassesThatDatasetsNoted) {
  struct Sink : RememberingSink {
    void NameClasses(std::vector<std::string> given) override { classes = std::move(given); }
    std::vector<std::string> classes = {"none yet"};
  };
  const auto classes = [](std::string_view note) {
    TextShard shard(ParquetFile({{.name = "label", .type = kInts64}},
                                {{.rows = 1, .pages = {DataPage(PlainIntegers({1}), {.values = 1})}}}, note));
    Sink sink;
    ScanParquet(shard, "label", sink);
    return sink.classes;
  };
  EXPECT_THAT(
      classes(R"({"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}})"),
      ElementsAre("cat", "dog"));
  EXPECT_THAT(classes(R"({"info": {"features": {"label": {"dtype": "int64", "_type": "Value"}}}})"),
              IsEmpty());
  EXPECT_THAT(classes("nonsense"), IsEmpty());
  EXPECT_THAT(classes(""), IsEmpty());
}

TEST(ParquetFormat, OnlyWhatIsWantedIsRead) {
  struct Sink : RememberingSink {
    std::vector<bool> WantedParts(const std::vector<std::string>& members) override {
      asked = members;
      return {true, false, false};
    }
    std::vector<std::string> asked;
  };
  const std::string page = DataPage(PlainBytes({"bytes"}), {.values = 1});
  TextShard shard(ParquetFile({{.name = "image"}, {.name = "packed", .codec = 1}, {.name = "label"}},
                              {{.rows = 1, .pages = {page, page, page}}}));
  Sink sink;
  ScanParquet(shard, "label", sink);
  EXPECT_THAT(sink.asked, ElementsAre("image", "packed", "label"));
  ASSERT_EQ(sink.samples.size(), 1u);
  ASSERT_EQ(sink.samples[0].members.size(), 2u);
  EXPECT_EQ(sink.samples[0].members[1].name, "label");
  EXPECT_EQ(sink.samples[0].members[1].no_part, "is not read as one");
  EXPECT_EQ(sink.samples[0].members[1].value, LabelValue("bytes"));
}

}  // namespace
}  // namespace bucketline
