#include "bucketline/s3/s3_xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/version_marker.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kPage = R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Name>bucket</Name><Prefix></Prefix><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
  <NextContinuationToken>a+b%2B</NextContinuationToken>
  <Contents><Key>a+b%2Bc%0A</Key><LastModified>2013-05-24T00:00:00.000Z</LastModified><ETag>&quot;e1&quot;</ETag><Size>7</Size></Contents>
  <Contents><Key>z</Key><ETag>"e2"</ETag><Size>5497558138880</Size></Contents>
  <CommonPrefixes><Prefix>d%20e/</Prefix></CommonPrefixes>
</ListBucketResult>)";

std::string WhyNot(std::string_view xml) {
  const auto page = ParseListPage(xml);
  if (page) return "it was taken";
  EXPECT_EQ(page.error().code(), ErrorCode::kUnavailable);
  return page.error().message();
}

TEST(S3XmlTest, ReadsAPage) {
  const auto page = ParseListPage(kPage);
  ASSERT_TRUE(page) << page.error().what();
  ASSERT_EQ(page->objects.size(), 2u);
  EXPECT_EQ(page->objects[0].key, "a b+c\n");
  EXPECT_EQ(page->objects[0].size, 7u);
  EXPECT_EQ(page->objects[0].etag, "\"e1\"");
  EXPECT_EQ(page->objects[0].last_modified, WallTime(std::chrono::seconds(1369353600)));
  EXPECT_EQ(page->objects[1].size, uint64_t{5} << 40);
  EXPECT_THAT(page->prefixes, ElementsAre("d e/"));
  EXPECT_EQ(page->next_token, "a+b%2B");  // tokens are opaque
}

TEST(S3XmlTest, DecodesOnlyWhatTheStoreSaysItEncoded) {
  const auto page = ParseListPage(
      "<ListBucketResult><Contents><Key> a+b%2B</Key><Size>1</Size></Contents>"
      "<CommonPrefixes><Prefix>c+/</Prefix></CommonPrefixes></ListBucketResult>");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->objects[0].key, " a+b%2B");
  EXPECT_THAT(page->prefixes, ElementsAre("c+/"));
  EXPECT_EQ(page->next_token, "");
}

TEST(S3XmlTest, AKeyOfBlanksIsAKey) {
  const auto page =
      ParseListPage("<ListBucketResult><Contents><Key>  </Key><Size>1</Size></Contents></ListBucketResult>");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->objects[0].key, "  ");
}

TEST(S3XmlTest, TheLastPageHasNoTokenWhateverElseItSays) {
  const auto page = ParseListPage(
      "<ListBucketResult><IsTruncated>false</IsTruncated><NextContinuationToken>t</NextContinuationToken></"
      "ListBucketResult>");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->next_token, "");
}

TEST(S3XmlTest, BrokenPagesAreErrors) {
  EXPECT_THAT(WhyNot(kPage.substr(0, kPage.size() / 2)), HasSubstr("broken"));
  EXPECT_THAT(WhyNot(""), HasSubstr("broken"));
  EXPECT_THAT(WhyNot("<Other/>"), HasSubstr("<Other>"));
  EXPECT_THAT(WhyNot("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
              HasSubstr("more follows"));
  for (const char* entry : {"<Key>k</Key>", "<Size>1</Size>", "<Key>k</Key><Size>x</Size>",
                            "<Key>k</Key><Size>-1</Size>", "<Key>k</Key><Size>1x</Size>"}) {
    EXPECT_THAT(
        WhyNot(std::string("<ListBucketResult><Contents>") + entry + "</Contents></ListBucketResult>"),
        HasSubstr("valid size"))
        << entry;
  }
}

TEST(S3XmlTest, ReadsErrors) {
  const auto error = ParseErrorDocument(
      "<Error><Code>C</Code><Message>M</Message><RequestId>R</RequestId><Region>eu-west-1</Region>"
      "<ServerTime>2013-05-24T00:00:00Z</ServerTime></Error>");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, "C");
  EXPECT_EQ(error->message, "M");
  EXPECT_EQ(error->request_id, "R");
  EXPECT_EQ(error->region, "eu-west-1");
  EXPECT_EQ(error->server_time, "2013-05-24T00:00:00Z");
}

TEST(S3XmlTest, ReadsWrappedAndCutErrors) {
  EXPECT_EQ(ParseErrorDocument("<ErrorResponse><Error><Code>C</Code></Error></ErrorResponse>")->code, "C");
  EXPECT_EQ(ParseErrorDocument("<Error><Code>C</Code><Message>half a sen")->code, "C");
  EXPECT_FALSE(ParseErrorDocument("<html><body>no</body></html>"));
  EXPECT_FALSE(ParseErrorDocument("{\"error\": 1}"));
  EXPECT_FALSE(ParseErrorDocument(""));
}

TEST(S3XmlTest, ReadsUploads) {
  EXPECT_EQ(
      *ParseUploadId("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"),
      "u");
  EXPECT_FALSE(ParseUploadId("<InitiateMultipartUploadResult/>"));
  EXPECT_FALSE(ParseUploadId("<Error/>"));
  EXPECT_EQ(*ParseCompletedEtag(
                "<CompleteMultipartUploadResult><ETag>\"e-2\"</ETag></CompleteMultipartUploadResult>"),
            "\"e-2\"");
  EXPECT_EQ(*ParseCompletedEtag(
                "<CompleteMultipartUploadResponse><ETag>\"e-2\"</ETag></CompleteMultipartUploadResponse>"),
            "\"e-2\"");
  EXPECT_EQ(
      *ParseCompletedEtag("<CompleteMultipartUploadResult><ETag>e-2</ETag></CompleteMultipartUploadResult>"),
      "\"e-2\"");
  EXPECT_EQ(*ParseCompletedEtag("<CompleteMultipartUploadResult><ETag/></CompleteMultipartUploadResult>"),
            "");
  EXPECT_FALSE(ParseCompletedEtag("<Error><Code>InternalError</Code></Error>"));
}

TEST(S3XmlTest, WritesTheListOfParts) {
  EXPECT_EQ(
      CompleteUploadDocument({{"\"a\""}, {"<b>", "sum="}}),
      "<?xml version=\"1.0\"?><CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part>"
      "<Part><PartNumber>2</PartNumber><ETag>&lt;b&gt;</ETag><ChecksumCRC64NVME>sum=</ChecksumCRC64NVME></"
      "Part></CompleteMultipartUpload>");
}

TEST(S3XmlTest, TellsXmlFromPages) {
  EXPECT_TRUE(LooksLikeXml(" \n<?xml version='1.0'?>"));
  EXPECT_TRUE(LooksLikeXml("\xef\xbb\xbf<ListBucketResult>"));
  for (const char* text : {"", "{}", "<!DOCTYPE html>", "  <HTML>", "<html lang='en'>", "plain"})
    EXPECT_FALSE(LooksLikeXml(text)) << text;
}

constexpr std::string_view kVersions = R"(<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
  <NextKeyMarker>a%3Fb</NextKeyMarker><NextVersionIdMarker>v?1</NextVersionIdMarker>
  <Version><Key>a%20b</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest><ETag>"e3"</ETag><Size>3</Size></Version>
  <Version><Key>a%20b</Key><VersionId>v2</VersionId><IsLatest>false</IsLatest><ETag>"e2"</ETag><Size>2</Size></Version>
  <DeleteMarker><Key>gone</Key><VersionId>v9</VersionId><IsLatest>true</IsLatest></DeleteMarker>
  <Version><Key>gone</Key><VersionId>v8</VersionId><IsLatest>false</IsLatest><ETag>"e8"</ETag><Size>8</Size></Version>
  <CommonPrefixes><Prefix>d%20e/</Prefix></CommonPrefixes>
</ListVersionsResult>)";

TEST(S3XmlTest, ReadsTheCurrentVersions) {
  const auto page = ParseVersionsPage(kVersions);
  ASSERT_TRUE(page) << page.error().what();
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_EQ(page->objects[0].key, "a b");
  EXPECT_EQ(page->objects[0].version, "v3");
  EXPECT_EQ(page->objects[0].etag, "\"e3\"");
  EXPECT_EQ(page->objects[0].size, 3u);
  EXPECT_THAT(page->prefixes, ElementsAre("d e/"));
  const VersionMarker next = MarkerOf(page->next_token);
  EXPECT_EQ(next.key, "a?b");
  EXPECT_EQ(next.version, "v?1");
}

TEST(S3XmlTest, WhatHasNoVersionsIsUnsupported) {
  const auto why = [](std::string_view inside) {
    const auto page = ParseVersionsPage(inside);
    if (page) return std::string("it was taken");
    EXPECT_EQ(page.error().code(), ErrorCode::kUnsupported);
    return page.error().message();
  };
  EXPECT_THAT(why(kPage), HasSubstr("does not list versions"));
  for (const char* version : {"", "<VersionId>null</VersionId>"}) {
    EXPECT_THAT(
        why(std::string("<ListVersionsResult><Version><Key>k</Key><IsLatest>true</IsLatest><Size>1</Size>") +
            version + "</Version></ListVersionsResult>"),
        HasSubstr("\"k\" has no version"));
  }
  const auto broken =
      ParseVersionsPage("<ListVersionsResult><IsTruncated>true</IsTruncated></ListVersionsResult>");
  EXPECT_EQ(broken.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(broken.error().message(), HasSubstr("more follows"));
}

}  // namespace
}  // namespace bucketline
