#include "bucketline/s3/ini_file.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/temp_folder.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(IniFileTest, ReadsSectionsKeysAndValues) {
  const IniSections sections = ParseIni(
      "[default]\n"
      "Region = us-east-1\n"
      "key=a=b:c\n"
      "[profile x]\r\n"
      "region: eu-west-1\r\n");
  EXPECT_THAT(sections,
              ElementsAre(Pair("default", ElementsAre(Pair("key", "a=b:c"), Pair("region", "us-east-1"))),
                          Pair("profile x", ElementsAre(Pair("region", "eu-west-1")))));
}

TEST(IniFileTest, CommentsBeginLinesOrFollowBlanks) {
  const IniSections sections = ParseIni("# one\n; two\n[a]\nk = v#1;2 # three\n#x = y\nlast = v ; four\n");
  EXPECT_THAT(sections.at("a"), ElementsAre(Pair("k", "v#1;2"), Pair("last", "v")));
}

TEST(IniFileTest, IndentedLinesBelongToTheKeyAboveThatHasNoValue) {
  const IniSections sections = ParseIni(
      "[services mine]\n"
      "s3 =\n"
      "  endpoint_url = http://a\n"
      "  other = 1\n"
      "dynamodb =\n"
      "  endpoint_url = http://b\n"
      "plain = 1\n"
      "  indented = 2\n");
  EXPECT_THAT(sections.at("services mine"),
              ElementsAre(Pair("dynamodb", ""), Pair("dynamodb.endpoint_url", "http://b"),
                          Pair("indented", "2"), Pair("plain", "1"), Pair("s3", ""),
                          Pair("s3.endpoint_url", "http://a"), Pair("s3.other", "1")));
}

TEST(IniFileTest, SectionNamesLoseQuotesAndExtraBlanks) {
  EXPECT_THAT(ParseIni("[ profile   \"my name\" ]\na=1\n[profile 'q']\nb=2\n"),
              ElementsAre(Pair("profile my name", ElementsAre(Pair("a", "1"))),
                          Pair("profile q", ElementsAre(Pair("b", "2")))));
}

TEST(IniFileTest, ASectionThatComesTwiceIsOne) {
  EXPECT_THAT(ParseIni("[a]\nx=1\n[b]\n[a]\nx=2\ny=3\n").at("a"),
              ElementsAre(Pair("x", "2"), Pair("y", "3")));
}

TEST(IniFileTest, SkipsWhatMeansNothing) {
  EXPECT_THAT(ParseIni("before = any section\n[broken\nx = 1\n[ok]\nno sign\n\n \n"),
              ElementsAre(Pair("ok", IsEmpty())));
  EXPECT_THAT(ParseIni(""), IsEmpty());
}

TEST(IniFileTest, IgnoresAByteOrderMark) {
  EXPECT_THAT(ParseIni("\xef\xbb\xbf[a]\nx=1"), ElementsAre(Pair("a", ElementsAre(Pair("x", "1")))));
}

TEST(IniFileTest, ReadsAFileAndTakesAMissingOneForEmpty) {
  const testing::TempFolder folder;
  const std::string path = folder.Path("config");
  std::ofstream(path) << "[a]\nx=1\n";
  EXPECT_THAT(ReadIniFile(path), ElementsAre(Pair("a", ElementsAre(Pair("x", "1")))));
  EXPECT_THAT(ReadIniFile(folder.Path("none")), IsEmpty());
  EXPECT_THAT(ReadIniFile(path + "/below"), IsEmpty());
}

TEST(IniFileTest, WhatCannotBeReadIsAnErrorThatNamesIt) {
  const testing::TempFolder folder;
  try {
    ReadIniFile(folder.path());
    FAIL() << "a folder was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_THAT(error.message(), ::testing::HasSubstr(folder.path()));
  }
  const std::string path = folder.Path("large");
  std::ofstream(path).close();
  std::filesystem::resize_file(path, (4 << 20) + 1);
  EXPECT_THROW(ReadIniFile(path), Error);
}

}  // namespace
}  // namespace bucketline
