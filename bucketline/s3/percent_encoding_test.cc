#include "bucketline/s3/percent_encoding.h"

#include <gtest/gtest.h>

namespace bucketline {
namespace {

TEST(PercentEncodingTest, KeepsTheUnreservedAndEncodesEveryOtherByte) {
  EXPECT_EQ(EncodeQueryComponent("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(EncodeQueryComponent("a b+c/%"), "a%20b%2Bc%2F%25");
  EXPECT_EQ(EncodeQueryComponent(std::string_view("\0\x1f\x7f\xc3\xa9", 5)), "%00%1F%7F%C3%A9");
}

TEST(PercentEncodingTest, PathsKeepTheirSlashesAndAreNotNormalised) {
  EXPECT_EQ(EncodePath("/a//b/../c/./d e"), "/a//b/../c/./d%20e");
  EXPECT_EQ(EncodePath("%41"), "%2541");
}

TEST(PercentEncodingTest, UnquotePlusReadsWhatStoresWrite) {
  EXPECT_EQ(UnquotePlus("a+b%2Bc%2fd"), "a b+c/d");
  EXPECT_EQ(UnquotePlus("%E2%82%AC"), "\xe2\x82\xac");
}

TEST(PercentEncodingTest, UnquotePlusLeavesBrokenSequencesAlone) {
  EXPECT_EQ(UnquotePlus("100%"), "100%");
  EXPECT_EQ(UnquotePlus("%4"), "%4");
  EXPECT_EQ(UnquotePlus("%zz%g1%1g"), "%zz%g1%1g");
}

TEST(PercentEncodingTest, UnquoteUndoesEncode) {
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte.push_back(static_cast<char>(i));
  EXPECT_EQ(UnquotePlus(EncodeQueryComponent(every_byte)), every_byte);
  EXPECT_EQ(UnquotePlus(EncodePath(every_byte)), every_byte);
}

}  // namespace
}  // namespace bucketline
