#include "bucketline/records/tfrecord_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/example_testing.h"
#include "bucketline/records/records_testing.h"
#include "bucketline/records/shard_testing.h"

namespace bucketline {
namespace {

using records_testing::BytesFeature;
using records_testing::Example;
using records_testing::FloatFeature;
using records_testing::Found;
using records_testing::IntegerFeature;
using records_testing::MessageOf;
using records_testing::ScanText;
using records_testing::TfRecord;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Found Scan(const std::string& shard, std::string_view label = "") {
  return ScanText(ScanTfRecord, shard, label);
}

std::string Image(const std::string& bytes, int64_t label) {
  return TfRecord(Example({{"image", BytesFeature({bytes})}, {"label", IntegerFeature({label})}}));
}

TEST(TfRecordFormat, AFeatureOfBytesIsARangeOfTheShard) {
  const std::string shard = Image("first", 3) + Image("second", 4);
  const Found found = Scan(shard, "label");
  ASSERT_EQ(found.samples.size(), 2u);
  EXPECT_EQ(found.samples[1].key, "0000000001");
  EXPECT_EQ(found.samples[1].offset, Image("first", 3).size());
  const ShardMember& image = found.samples[1].members[0];
  EXPECT_EQ(image.name, "image");
  EXPECT_EQ(shard.substr(image.offset, image.length), "second");
  EXPECT_FALSE(image.no_part);
  EXPECT_EQ(found.samples[1].members[1].value, LabelValue(int64_t{4}));
  EXPECT_EQ(found.samples[1].members[1].no_part, "is a list of 1 integers");
  EXPECT_EQ(found.damage, "");
}

TEST(TfRecordFormat, LabelsAreValuesOfAnyKind) {
  const auto label = [](const std::string& feature) {
    return Scan(TfRecord(Example({{"l", feature}})), "l").samples[0].members[0].value;
  };
  EXPECT_EQ(label(BytesFeature({"cat"})), LabelValue("cat"));
  EXPECT_EQ(label(FloatFeature({0.5f})), LabelValue(0.5));
  EXPECT_EQ(label(IntegerFeature({1, 2})), LabelValue(std::vector<double>{1, 2}));
  EXPECT_EQ(label(IntegerFeature({})), std::nullopt);
  EXPECT_EQ(label(BytesFeature({"a", "b"})), std::nullopt);
}

TEST(TfRecordFormat, ListsOfBytesAreNoPart) {
  const Found found =
      Scan(TfRecord(Example({{"frames", BytesFeature({"a", "b"})}, {"none", BytesFeature({})}})));
  EXPECT_EQ(found.samples[0].members[0].no_part, "is a list of 2 byte strings");
  EXPECT_EQ(found.samples[0].members[1].no_part, "has no value");
}

TEST(TfRecordFormat, AMessageWithAWrongCrcIsSkippedAlone) {
  std::string shard = Image("first", 1) + Image("second", 2) + Image("third", 3);
  shard[Image("first", 1).size() + 30] ^= 1;
  const Found found = Scan(shard);
  ASSERT_EQ(found.samples.size(), 2u);
  EXPECT_EQ(found.samples[1].key, "0000000002");  // numbers are those of the shard
  EXPECT_THAT(found.skipped, ElementsAre(AllOf(HasSubstr(fmt::format("at byte {}", Image("first", 1).size())),
                                               HasSubstr("record 1 has a wrong CRC"))));
}

TEST(TfRecordFormat, AMessageThatIsNoExampleIsSkippedAlone) {
  const Found found = Scan(TfRecord("\x0a\x7f") + Image("x", 1));
  EXPECT_EQ(found.samples.size(), 1u);
  EXPECT_THAT(found.skipped, ElementsAre(HasSubstr("record 0 is no tf.train.Example")));
}

TEST(TfRecordFormat, ALengthWithAWrongCrcEndsTheShard) {
  std::string shard = Image("first", 1) + Image("second", 2);
  shard[Image("first", 1).size()] ^= 1;
  const Found found = Scan(shard);
  EXPECT_EQ(found.samples.size(), 1u);
  EXPECT_THAT(found.damage, HasSubstr("the length of this record has a wrong CRC"));
}

TEST(TfRecordFormat, ALengthThatNoRecordHasIsAnErrorThatSaysBoth) {
  std::string header;
  AppendFixed64(&header, (uint64_t{1} << 30) + 1);
  AppendFixed32(&header, MaskedCrc32c(Crc32cOf(header)));
  const std::string first = Image("first", 1);
  EXPECT_THAT(MessageOf(ErrorCode::kResourceExhausted, [&] { Scan(first + header); }),
              AllOf(HasSubstr("at byte " + std::to_string(first.size())), HasSubstr("1073741825 bytes"),
                    HasSubstr("up to 1073741824")));
}

TEST(TfRecordFormat, TruncationIsDamage) {
  const std::string whole = Image("first", 1) + Image("second", 2);
  const size_t first = Image("first", 1).size();
  for (size_t size = 1; size < whole.size(); ++size) {
    const Found found = Scan(whole.substr(0, size));
    EXPECT_EQ(found.samples.size(), size < first ? 0u : 1u) << size;
    EXPECT_EQ(found.damage.find("cut off") == std::string::npos, size == first) << size;
  }
  EXPECT_THAT(Scan("").samples, IsEmpty());
}

TEST(TfRecordFormat, CompressedShardsAreRefused) {
  EXPECT_THAT(MessageOf(ErrorCode::kUnsupported, [] { Scan("\x1f\x8b" + std::string(100, 'z')); }),
              HasSubstr("gzip"));
}

TEST(TfRecordFormat, ALengthThatLooksLikeGzipIsALength) {
  const std::string record = TfRecord(std::string(0x8b1f, '\0'));  // "\x1f\x8b" in front
  EXPECT_THAT(Scan(record).skipped, ElementsAre(HasSubstr("no tf.train.Example")));
}

}  // namespace
}  // namespace bucketline
