#include "bucketline/records/recordio_format.h"

#include <bit>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/shard_testing.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

using records_testing::Found;
using records_testing::ScanText;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Piece(std::string_view bytes, uint32_t flag = 0) {
  std::string record;
  AppendFixed32(&record, 0xced7230a);
  AppendFixed32(&record, flag << 29 | static_cast<uint32_t>(bytes.size()));
  record += bytes;
  record.resize((record.size() + 3) / 4 * 4);
  return record;
}

std::string Image(std::string_view bytes, const std::vector<float>& labels, uint64_t id = 0) {
  std::string body;
  const bool one = labels.size() == 1;
  AppendFixed32(&body, one ? 0 : static_cast<uint32_t>(labels.size()));
  AppendFixed32(&body, std::bit_cast<uint32_t>(one ? labels[0] : 0.0f));
  AppendFixed64(&body, id);
  AppendFixed64(&body, 0);
  for (size_t i = 0; !one && i < labels.size(); ++i) AppendFixed32(&body, std::bit_cast<uint32_t>(labels[i]));
  return body.append(bytes);
}

Found Scan(const std::string& shard, std::string_view label = "") {
  return ScanText(ScanRecordIo, shard, label);
}

std::optional<LabelValue> ValueOf(const Found& found, size_t sample, std::string_view name) {
  for (const ShardMember& member : found.samples.at(sample).members) {
    if (member.name == name) return member.value;
  }
  return std::nullopt;
}

TEST(RecordIoFormat, AnImageIsWhatFollowsItsHeader) {
  const std::string shard = Piece(Image("first", {3})) + Piece(Image("second", {4}));
  const Found found = Scan(shard, "label");
  ASSERT_EQ(found.samples.size(), 2u);
  const ShardSample& second = found.samples[1];
  EXPECT_EQ(second.key, "0000000001");
  EXPECT_EQ(second.offset, 40u);
  EXPECT_EQ(second.members[0].name, "image");
  EXPECT_EQ(shard.substr(second.members[0].offset, second.members[0].length), "second");
  EXPECT_EQ(ValueOf(found, 1, "label"), LabelValue(int64_t{4}));
  EXPECT_EQ(found.damage, "");
}

TEST(RecordIoFormat, LabelsAreNumbersOrLists) {
  const std::string shard = Piece(Image("x", {0.5f}, 77)) + Piece(Image("image", {1, 2.5f, 3}));
  const Found found = Scan(shard, "label");
  EXPECT_EQ(ValueOf(found, 0, "label"), LabelValue(0.5));
  EXPECT_EQ(ValueOf(found, 1, "label"), LabelValue(std::vector<double>{1, 2.5, 3}));
  const ShardMember& image = found.samples[1].members[0];
  EXPECT_EQ(shard.substr(image.offset, image.length), "image");
  EXPECT_EQ(ValueOf(Scan(shard, "id"), 0, "id"), LabelValue(int64_t{77}));
}

TEST(RecordIoFormat, RecordsInPiecesAreSkippedAsOne) {
  const std::string shard =
      Piece(Image("ab", {1}), 1) + Piece("cdef", 2) + Piece("gh", 3) + Piece(Image("whole", {2}));
  const Found found = Scan(shard);
  ASSERT_EQ(found.samples.size(), 1u);
  EXPECT_EQ(found.samples[0].key, "0000000001");
  EXPECT_THAT(found.skipped,
              ElementsAre(AllOf(HasSubstr("at byte 0"), HasSubstr("record 0 is stored in pieces"))));
}

TEST(RecordIoFormat, PiecesWithoutTheirLastAreDamage) {
  EXPECT_THAT(Scan(Piece("ab", 1) + Piece(Image("whole", {2}))).damage,
              HasSubstr("another begins before its last"));
  EXPECT_THAT(Scan(Piece("ab", 1)).damage, HasSubstr("cut off"));
}

TEST(RecordIoFormat, RecordsTooShortForTheirHeaderAreSkipped) {
  std::string many = Image("", {1});
  many[0] = 9;  // labels, and none of them there
  const Found found = Scan(Piece("short") + Piece(many) + Piece(Image("x", {1})));
  EXPECT_EQ(found.samples.size(), 1u);
  EXPECT_THAT(found.skipped,
              ElementsAre(HasSubstr("record 0 has 5 bytes"), HasSubstr("record 1 has 24 bytes")));
}

TEST(RecordIoFormat, WhereNoRecordBeginsIsDamage) {
  const Found found = Scan(Piece(Image("x", {1})) + "this is no record");
  EXPECT_EQ(found.samples.size(), 1u);
  EXPECT_THAT(found.damage, AllOf(HasSubstr("at byte 36"), HasSubstr("magic")));
  EXPECT_THAT(Scan(Piece("x", 7)).damage, HasSubstr("flag 7"));
}

TEST(RecordIoFormat, TruncationIsDamage) {
  const std::string whole = Piece(Image("first", {1}));
  for (size_t size = 1; size < whole.size() - 3; ++size) {  // the last 3 bytes are padding
    const Found found = Scan(whole.substr(0, size));
    EXPECT_THAT(found.damage, HasSubstr("cut off")) << size;
    EXPECT_THAT(found.samples, IsEmpty());
  }
}

}  // namespace
}  // namespace bucketline
