#include "bucketline/records/mds_format.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/records/mds_columns.h"
#include "bucketline/records/records_testing.h"
#include "bucketline/records/shard_testing.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

using records_testing::Found;
using records_testing::MessageOf;
using records_testing::ScanText;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kColumns =
    R"({"column_encodings": ["jpeg", "int", "str"], "column_names": ["image", "label", "name"],)"
    R"( "column_sizes": [null, 8, null], "compression": null, "format": "mds", "hashes": [], "version": 2})";

std::string Mds(const std::vector<std::string>& samples, std::string_view columns = kColumns) {
  std::string shard;
  AppendFixed32(&shard, static_cast<uint32_t>(samples.size()));
  size_t at = (samples.size() + 2) * 4 + columns.size();
  AppendFixed32(&shard, static_cast<uint32_t>(at));
  for (const std::string& sample : samples) AppendFixed32(&shard, static_cast<uint32_t>(at += sample.size()));
  shard += columns;
  for (const std::string& sample : samples) shard += sample;
  return shard;
}

std::string Sample(std::string_view image, uint64_t label, std::string_view name) {
  std::string sample;
  AppendFixed32(&sample, static_cast<uint32_t>(image.size()));
  AppendFixed32(&sample, static_cast<uint32_t>(name.size()));
  sample += image;
  AppendFixed64(&sample, label);
  return sample.append(name);
}

Found Scan(const std::string& shard, std::string_view label = "") { return ScanText(ScanMds, shard, label); }

TEST(MdsFormat, ColumnsAreRangesOfTheShard) {
  const std::string shard = Mds({Sample("first", 3, "a"), Sample("second", 4, "bb")});
  const Found found = Scan(shard, "label");
  ASSERT_EQ(found.samples.size(), 2u);
  const ShardSample& second = found.samples[1];
  EXPECT_EQ(second.key, "0000000001");
  ASSERT_EQ(second.members.size(), 3u);
  EXPECT_EQ(shard.substr(second.members[0].offset, second.members[0].length), "second");
  EXPECT_EQ(shard.substr(second.members[2].offset, second.members[2].length), "bb");
  EXPECT_EQ(second.members[1].value, LabelValue(int64_t{4}));
  EXPECT_FALSE(second.members[0].no_part);
  EXPECT_EQ(second.members[1].no_part, "is a number (int)");
  EXPECT_THAT(*second.members[2].no_part, HasSubstr("encoding \"str\""));
  EXPECT_EQ(Scan(shard, "name").samples[1].members[2].value, LabelValue("bb"));
  EXPECT_EQ(found.damage, "");
}

TEST(MdsFormat, AnEmptyShardIsEmpty) {
  EXPECT_THAT(Scan(Mds({})).samples, IsEmpty());
  EXPECT_EQ(Scan(Mds({})).damage, "");
}

TEST(MdsFormat, ASampleWhoseSizesDoNotAddUpIsSkipped) {
  std::string wrong = Sample("first", 3, "a");
  wrong[0] = 4;
  const Found found = Scan(Mds({wrong, Sample("second", 4, "bb")}));
  EXPECT_EQ(found.samples.size(), 1u);
  EXPECT_THAT(found.skipped, ElementsAre(HasSubstr("columns of sample 0 have 21 bytes, and it has 22")));
}

TEST(MdsFormat, TruncationIsDamage) {
  const std::string whole = Mds({Sample("first", 3, "a"), Sample("second", 4, "bb")});
  for (size_t size = 0; size < whole.size(); ++size) {
    const Found found = Scan(whole.substr(0, size));
    EXPECT_NE(found.damage, "") << size;
    EXPECT_LE(found.samples.size(), 1u);
  }
  EXPECT_THAT(Scan(whole.substr(0, whole.size() - 1)).damage, HasSubstr("sample 1 ends at"));
}

TEST(MdsFormat, ATableThatMakesNoSenseIsDamage) {
  std::string shard = Mds({Sample("first", 3, "a"), Sample("second", 4, "bb")});
  shard[8] = 1;  // the second sample begins before the first
  shard[9] = 0;
  EXPECT_THAT(Scan(shard).damage, HasSubstr("makes no sense"));
  EXPECT_THAT(Scan(Mds({}, "{}")).damage, HasSubstr("does not parse"));
  EXPECT_THAT(Scan(Mds({}, "nonsense")).damage, HasSubstr("does not parse"));
  EXPECT_THAT(Scan(Mds({}, std::string((16 << 20) + 1, ' '))).damage, HasSubstr("is too large"));
  EXPECT_THAT(Scan(Mds({}, R"({"format": "mds", "version": 2, "column_names": ["a"],
                               "column_encodings": [], "column_sizes": []})"))
                  .damage,
              HasSubstr("different number"));
  for (const char* size : {"1e30", "-1", "0.5", "\"8\""}) {
    SCOPED_TRACE(size);
    const std::string header = R"({"format": "mds", "version": 2, "column_names": ["a"],
                                   "column_encodings": ["bytes"], "column_sizes": [)" +
                               std::string(size) + "]}";
    EXPECT_THAT(Scan(Mds({}, header)).damage, HasSubstr("does not parse"));
  }
}

TEST(MdsFormat, CompressedShardsAndOtherVersionsAreRefused) {
  EXPECT_THAT(MessageOf(ErrorCode::kUnsupported, [] { Scan("\x28\xb5\x2f\xfd" + std::string(100, 'z')); }),
              HasSubstr("zstd"));
  EXPECT_THAT(MessageOf(ErrorCode::kUnsupported, [] { Scan(Mds({}, R"({"format": "mds", "version": 3})")); }),
              HasSubstr("version 3"));
}

TEST(MdsColumns, NumbersHaveTheirValues) {
  const auto value = [](std::string_view encoding, std::string_view bytes) {
    return ValueOfMds({.name = "x", .encoding = std::string(encoding), .size = std::nullopt}, bytes);
  };
  EXPECT_EQ(value("uint8", "\xff"), LabelValue(int64_t{255}));
  EXPECT_EQ(value("int8", "\xff"), LabelValue(int64_t{-1}));
  EXPECT_EQ(value("int32", std::string_view("\x01\0\0\0", 4)), LabelValue(int64_t{1}));
  EXPECT_EQ(value("float32", std::string_view("\0\0\x80\x3f", 4)), LabelValue(1.0));
  EXPECT_EQ(value("int32", "\x01"), std::nullopt);
  EXPECT_EQ(value("str_int", "12"), LabelValue("12"));
  EXPECT_EQ(value("pkl", "x"), std::nullopt);
}

}  // namespace
}  // namespace bucketline
