#include "bucketline/serve/xml_requests.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/serve/serve_testing.h"

namespace bucketline::serve {
namespace {

using testing::CodeOf;
using ::testing::ElementsAre;

std::string DeleteCode(const std::string& xml) {
  return CodeOf([&] { ParseDelete(xml); });
}
std::string CompleteCode(const std::string& xml) {
  return CodeOf([&] { ParseComplete(xml); });
}

std::string Repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

constexpr char kObject[] = "<Object><Key>k</Key></Object>";
constexpr char kPart[] = "<Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>";

TEST(XmlRequests, KeysToDelete) {
  const DeleteRequest request = ParseDelete(
      "<Delete><Quiet>true</Quiet><Object><Key>a&amp;b</Key></Object><Object><Key>  "
      "</Key></Object></Delete>");
  EXPECT_TRUE(request.quiet);
  EXPECT_THAT(request.keys, ElementsAre("a&b", "  "));
  EXPECT_FALSE(ParseDelete("<Delete>" + std::string(kObject) + "</Delete>").quiet);
  EXPECT_EQ(ParseDelete("<Delete>" + Repeated(kObject, 1000) + "</Delete>").keys.size(), 1000u);
}

TEST(XmlRequests, WhatIsNoDeleteIsMalformed) {
  EXPECT_EQ(DeleteCode("<Delete><Object>"), "MalformedXML");
  EXPECT_EQ(DeleteCode("<Other>" + std::string(kObject) + "</Other>"), "MalformedXML");
  EXPECT_EQ(DeleteCode("<Delete></Delete>"), "MalformedXML");
  EXPECT_EQ(DeleteCode("<Delete><Object><Key></Key></Object></Delete>"), "MalformedXML");
  EXPECT_EQ(DeleteCode("<Delete>" + Repeated(kObject, 1001) + "</Delete>"), "MalformedXML");
}

TEST(XmlRequests, AVersionIsNotDeletedAsIfItWereTheObject) {
  EXPECT_EQ(DeleteCode("<Delete><Object><Key>k</Key><VersionId>v</VersionId></Object></Delete>"),
            "NotImplemented");
}

TEST(XmlRequests, PartsToComplete) {
  const CompleteRequest request = ParseComplete(
      "<CompleteMultipartUpload><Part><PartNumber>10000</PartNumber><ETag>\"e\"</ETag></Part>"
      "</CompleteMultipartUpload>");
  ASSERT_EQ(request.parts.size(), 1u);
  EXPECT_EQ(request.parts[0].number, 10000);
  EXPECT_EQ(request.parts[0].etag, "\"e\"");
}

TEST(XmlRequests, WhatCompletesNothingIsMalformed) {
  const auto with = [](const std::string& parts) {
    return CompleteCode("<CompleteMultipartUpload>" + parts + "</CompleteMultipartUpload>");
  };
  EXPECT_EQ(with(Repeated(kPart, 10000)), "none");
  EXPECT_EQ(with(Repeated(kPart, 10001)), "MalformedXML");
  EXPECT_EQ(with(""), "MalformedXML");
  for (const char* number : {"", "0", "10001", "-1", "one"}) {
    EXPECT_EQ(with("<Part><PartNumber>" + std::string(number) + "</PartNumber></Part>"), "MalformedXML")
        << number;
  }
  EXPECT_EQ(CompleteCode("<Other>" + std::string(kPart) + "</Other>"), "MalformedXML");
}

}  // namespace
}  // namespace bucketline::serve
