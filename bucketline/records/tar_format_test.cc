#include "bucketline/records/tar_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/records/records_testing.h"
#include "bucketline/records/shard_testing.h"

namespace bucketline {
namespace {

using records_testing::Found;
using records_testing::MessageOf;
using records_testing::PaxRecord;
using records_testing::ScanText;
using records_testing::Shown;
using records_testing::Tar;
using records_testing::TarEnd;
using records_testing::TarHeaderBlock;
using records_testing::TarMember;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Found Scan(const std::string& archive, std::string_view label = "") {
  return ScanText(ScanTar, archive, label);
}

TEST(TarFormat, MembersOfOnePathUpToTheFirstDotAreASample) {
  const Found found =
      Scan(Tar({{"a/1.cls", "7"}, {"a/1.jpg", "JPEG"}, {"a/1.seg.PNG", "x"}, {"b/1.jpg", "second"}}));
  EXPECT_THAT(Shown(found.samples),
              ElementsAre("a/1: cls@512+1 jpg@1536+4 seg.png@2560+1", "b/1: jpg@3584+6"));
  EXPECT_EQ(found.samples[1].offset, 3072u);
  EXPECT_EQ(found.damage, "");
  EXPECT_THAT(found.skipped, IsEmpty());
}

TEST(TarFormat, ReadsHeadersAloneAndTheLabel) {
  const std::string payload(100000, 'x');
  records_testing::TextShard shard(
      Tar({{"1.cls", "cat"}, {"1.jpg", payload}, {"2.cls", "dog"}, {"2.jpg", payload}}));
  Found found;
  ScanTar(shard, "cls", found);
  ASSERT_EQ(found.samples.size(), 2u);
  EXPECT_EQ(found.samples[0].members[0].value, LabelValue("cat"));
  EXPECT_EQ(found.samples[1].members[0].value, LabelValue("dog"));
  EXPECT_FALSE(found.samples[0].members[1].value);
  EXPECT_LT(shard.bytes_read(), 6 * 512u);
}

TEST(TarFormat, ZeroLengthMembersAreMembers) {
  EXPECT_THAT(Shown(Scan(Tar({{"1.jpg", ""}, {"2.jpg", "x"}})).samples),
              ElementsAre("1: jpg@512+0", "2: jpg@1024+1"));
}

TEST(TarFormat, PassesOverWhatIsNoMemberOfASample) {
  std::string archive = TarMember("dir/", "", '5') + TarMember("1.jpg", "", '2') + TarMember("noext", "x") +
                        TarMember(".hidden.jpg", "x") + TarMember("__meta.json__", "x") +
                        TarMember("g", "9 a=b\n", 'g') + TarMember("./2.jpg", "x");
  const Found found = Scan(archive + TarEnd());
  ASSERT_EQ(found.samples.size(), 1u);
  EXPECT_EQ(found.samples[0].key, "2");
  EXPECT_THAT(found.skipped, IsEmpty());
}

TEST(TarFormat, NamesComeFromPrefixPaxAndLongNames) {
  const std::string deep = std::string(200, 'd') + "/3.jpg";
  std::string archive =
      TarHeaderBlock("1.jpg", 1, '0', "some/folder") + std::string("x") + std::string(511, '\0');
  archive += TarMember("pax", PaxRecord("mtime", "1.5") + PaxRecord("path", "f\xc3\xbc/2.jpg"), 'x') +
             TarMember("2", "y");
  archive += TarMember("././@LongLink", deep + '\0', 'L') + TarMember("cut", "z");
  archive += TarMember("4.jpg", "w");
  const Found found = Scan(archive + TarEnd());
  ASSERT_EQ(found.samples.size(), 4u);
  EXPECT_EQ(found.samples[0].key, "some/folder/1");
  EXPECT_EQ(found.samples[1].key, "f\xc3\xbc/2");
  EXPECT_EQ(found.samples[2].key, std::string(200, 'd') + "/3");
  EXPECT_EQ(found.samples[3].key, "4");
}

TEST(TarFormat, SizesComeFromPaxAndFromBinary) {
  std::string archive = TarMember("pax", PaxRecord("size", "3"), 'x') + TarHeaderBlock("1.jpg", 0) + "abc" +
                        std::string(509, '\0');
  std::string binary = TarHeaderBlock("2.jpg", 0);
  binary.replace(124, 12, std::string("\x80\0\0\0\0\0\0\0\0\0\x02\x01", 12));
  binary.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char byte : binary) sum += static_cast<uint8_t>(byte);
  binary.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  archive += binary + std::string(1024, 'b') + TarMember("3.jpg", "x") + TarEnd();
  EXPECT_THAT(Shown(Scan(archive).samples), ElementsAre("1: jpg@1536+3", "2: jpg@2560+513", "3: jpg@4096+1"));
}

TEST(TarFormat, SparseMembersAreSkippedByName) {
  std::string gnu = TarHeaderBlock("1.jpg", 3, 'S');
  gnu[482] = 1;  // one more block of the map
  gnu.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char byte : gnu) sum += static_cast<uint8_t>(byte);
  gnu.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  gnu += std::string(512, '\0') + "abc" + std::string(509, '\0');
  const std::string pax =
      TarMember("pax", PaxRecord("GNU.sparse.major", "1") + PaxRecord("path", "2.jpg"), 'x') +
      TarMember("2.jpg", "x");
  const Found found = Scan(gnu + pax + TarMember("3.jpg", "x") + TarEnd());
  EXPECT_THAT(Shown(found.samples), ElementsAre("3: jpg@4096+1"));
  EXPECT_THAT(found.skipped, ElementsAre(AllOf(HasSubstr("at byte 0"), HasSubstr("\"1.jpg\" is sparse")),
                                         AllOf(HasSubstr("at byte 2560"), HasSubstr("\"2.jpg\" is sparse"))));
}

TEST(TarFormat, AMemberTwiceInASampleIsSkipped) {
  const Found found = Scan(Tar({{"1.jpg", "a"}, {"1.JPG", "b"}}));
  EXPECT_THAT(Shown(found.samples), ElementsAre("1: jpg@512+1"));
  EXPECT_THAT(found.skipped, ElementsAre(HasSubstr("stands twice")));
}

TEST(TarFormat, ASampleHasNoMoreMembersThanMakesSense) {
  std::string archive;
  for (int i = 0; i < 1025; ++i) archive += TarMember("1.m" + std::to_string(i), "");
  const Found found = Scan(archive + TarEnd());
  ASSERT_EQ(found.samples.size(), 1u);
  EXPECT_EQ(found.samples[0].members.size(), 1024u);
  EXPECT_THAT(found.skipped, ElementsAre(HasSubstr("more than 1024 members")));
}

TEST(TarFormat, ALabelThatIsNoneIsSkipped) {
  const Found found =
      Scan(Tar({{"1.cls", std::string(kLargestLabelMember + 1, '1')}, {"1.jpg", "b"}}), "cls");
  ASSERT_EQ(found.samples.size(), 1u);
  EXPECT_EQ(found.samples[0].members.size(), 1u);
  EXPECT_THAT(found.skipped, ElementsAre(HasSubstr("1048577 bytes")));
}

TEST(TarFormat, TruncationAnywhereIsDamage) {
  const std::string whole = Tar({{"1.jpg", std::string(700, 'x')}, {"2.jpg", std::string(700, 'y')}});
  for (size_t size = 0; size < whole.size() - 1024; size += 100) {
    const Found found = Scan(whole.substr(0, size));
    EXPECT_THAT(found.damage, HasSubstr("cut off")) << size;
    EXPECT_LE(found.samples.size(), 1u);
  }
  const Found second = Scan(whole.substr(0, 2300));
  EXPECT_THAT(second.damage, AllOf(HasSubstr("at byte 1536"), HasSubstr("\"2.jpg\" has 700 bytes")));
  EXPECT_THAT(Shown(second.samples), ElementsAre("1: jpg@512+700"));
}

TEST(TarFormat, AnEndWithinTheZerosIsNone) {
  const Found found = Scan(TarMember("1.jpg", "x") + std::string(511, '\0'));
  EXPECT_THAT(found.damage, AllOf(HasSubstr("at byte 1024"), HasSubstr("two blocks of zeros")));
}

TEST(TarFormat, OneBlockOfZerosIsEndEnough) {
  const Found found = Scan(TarMember("1.jpg", "x") + std::string(512, '\0'));
  EXPECT_EQ(found.damage, "");
  EXPECT_EQ(found.samples.size(), 1u);
}

TEST(TarFormat, DamagedHeadersSayWhere) {
  std::string archive = Tar({{"1.jpg", "x"}, {"2.jpg", "y"}, {"3.jpg", "z"}});
  archive[1024 + 3] ^= 1;
  const Found found = Scan(archive);
  EXPECT_THAT(found.damage, AllOf(HasSubstr("at byte 1024"), HasSubstr("checksum")));
  EXPECT_THAT(found.samples, IsEmpty());  // more members of the first might have come
}

TEST(TarFormat, SenselessHeadersAreDamage) {
  EXPECT_THAT(Scan(TarMember("pax", "99999 path=a\n", 'x') + TarEnd()).damage,
              HasSubstr("pax header does not parse"));
  EXPECT_THAT(Scan(TarMember("pax", "5\n", 'x') + TarEnd()).damage, HasSubstr("pax header does not parse"));
  EXPECT_THAT(Scan(TarMember("pax", PaxRecord("size", "-1"), 'x') + TarEnd()).damage,
              HasSubstr("size \"-1\""));
  EXPECT_THAT(Scan(TarMember("L", std::string((1 << 20) + 1, 'n'), 'L') + TarEnd()).damage,
              HasSubstr("no sensible"));
  std::string letters = TarHeaderBlock("1.jpg", 0);
  letters.replace(124, 4, "size");
  letters.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char byte : letters) sum += static_cast<uint8_t>(byte);
  letters.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  EXPECT_THAT(Scan(letters + TarEnd()).damage, HasSubstr("\"1.jpg\" is no number"));
}

TEST(TarFormat, CompressedArchivesAreRefused) {
  const auto refused = [](std::string head) {
    return MessageOf(ErrorCode::kUnsupported, [&] { Scan(head + std::string(2000, 'z')); });
  };
  EXPECT_THAT(refused("\x1f\x8b\x08"), HasSubstr("gzip"));
  EXPECT_THAT(refused("\x28\xb5\x2f\xfd"), HasSubstr("zstd"));
  EXPECT_THAT(refused("BZh9"), HasSubstr("bzip2"));
  EXPECT_THAT(MessageOf(ErrorCode::kUnsupported, [] { Scan(TarMember("1.jpg", "x", 'M') + TarEnd()); }),
              HasSubstr("volumes"));
}

}  // namespace
}  // namespace bucketline
