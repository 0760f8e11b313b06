#include "bucketline/serve/request.h"

#include <gtest/gtest.h>

#include "bucketline/serve/operation.h"
#include "bucketline/serve/percent.h"
#include "bucketline/serve/range_header.h"
#include "bucketline/serve/serve_testing.h"

namespace bucketline::serve {
namespace {

using testing::CodeOf;

Request Parse(std::string_view target, std::string method = "GET") {
  Request request;
  request.method = std::move(method);
  ParseTarget(target, request);
  return request;
}

TEST(Percent, Decodes) {
  EXPECT_EQ(PercentDecode("a%2Fb%2fc+", false), "a/b/c+");
  EXPECT_EQ(PercentDecode("a+b%2B", true), "a b+");
  for (const char* bad : {"%", "%2", "%zz", "abc%4"})
    EXPECT_EQ(PercentDecode(bad, false), std::nullopt) << bad;
}

TEST(ParseTarget, TakesApart) {
  const Request request = Parse("/bucket/a%2F../b%20c+d//?uploads&partNumber=7&x=%26+%3D&&");
  EXPECT_EQ(request.bucket, "bucket");
  EXPECT_EQ(request.key, "a/../b c+d//");
  EXPECT_EQ(request.path, "/bucket/a/../b c+d//");
  ASSERT_NE(request.Query("uploads"), nullptr);
  EXPECT_EQ(*request.Query("uploads"), "");
  EXPECT_EQ(*request.Query("partNumber"), "7");
  EXPECT_EQ(*request.Query("x"), "& =");
  EXPECT_EQ(request.Query("y"), nullptr);
  EXPECT_EQ(Parse("/").bucket, "");
  EXPECT_EQ(Parse("/bucket/").bucket, "bucket");
  EXPECT_EQ(Parse("/bucket/").key, "");
}

TEST(ParseTarget, Refuses) {
  for (const char* bad : {"", "bucket", "http://host/bucket", "*", "/b/%", "/b/%00", "/b?x=%0", "//key"}) {
    EXPECT_EQ(CodeOf([&] { Parse(bad); }), "InvalidURI") << bad;
  }
  EXPECT_EQ(CodeOf([] { Parse("/b/" + std::string(1024, 'k')); }), "none");
  EXPECT_EQ(CodeOf([] { Parse("/b/" + std::string(1025, 'k')); }), "KeyTooLongError");
}

TEST(NamesETag, ComparesWithAndWithoutQuotes) {
  EXPECT_TRUE(NamesETag("\"a\"", "\"a\""));
  EXPECT_TRUE(NamesETag("a", "\"a\""));
  EXPECT_TRUE(NamesETag("\"b\" , \"a\"", "\"a\""));
  EXPECT_TRUE(NamesETag("*", "\"a\""));
  EXPECT_FALSE(NamesETag("\"b\"", "\"a\""));
  EXPECT_FALSE(NamesETag("", "\"a\""));
}

TEST(ParseNumber, TakesDigitsOnly) {
  EXPECT_EQ(ParseNumber("0"), 0u);
  EXPECT_EQ(ParseNumber("18446744073709551615"), UINT64_MAX);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616"}) {
    EXPECT_EQ(ParseNumber(bad), std::nullopt) << bad;
  }
}

TEST(ParseRange, Forms) {
  EXPECT_EQ(ParseRange("bytes=0-0", 10), (ByteRange{0, 1}));
  EXPECT_EQ(ParseRange("bytes=3-5", 10), (ByteRange{3, 3}));
  EXPECT_EQ(ParseRange("bytes=3-", 10), (ByteRange{3, 7}));
  EXPECT_EQ(ParseRange("bytes=-4", 10), (ByteRange{6, 4}));
  EXPECT_EQ(ParseRange("bytes=-40", 10), (ByteRange{0, 10}));
  EXPECT_EQ(ParseRange("bytes=9-18446744073709551615", 10), (ByteRange{9, 1}));
}

TEST(ParseRange, WhatIsIgnored) {
  for (const char* text : {"", "items=0-1", "bytes=", "bytes=-", "bytes=5-3", "bytes=a-b", "bytes=0-1,3-4",
                           "bytes=1", "bytes= 0-1", "bytes=--5"}) {
    EXPECT_EQ(ParseRange(text, 10), std::nullopt) << text;
  }
}

TEST(ParseRange, Unsatisfiable) {
  EXPECT_EQ(CodeOf([] { ParseRange("bytes=10-", 10); }), "InvalidRange");
  EXPECT_EQ(CodeOf([] { ParseRange("bytes=10-20", 10); }), "InvalidRange");
  EXPECT_EQ(CodeOf([] { ParseRange("bytes=-0", 10); }), "InvalidRange");
  EXPECT_EQ(CodeOf([] { ParseRange("bytes=-5", 0); }), "InvalidRange");
  EXPECT_EQ(CodeOf([] { ParseRange("bytes=0-", 0); }), "InvalidRange");
}

TEST(OperationOf, KnowsEach) {
  const auto name = [](std::string method, std::string_view target) {
    return OperationName(OperationOf(Parse(target, std::move(method))));
  };
  EXPECT_EQ(name("GET", "/"), "ListBuckets");
  EXPECT_EQ(name("GET", "/?x-id=ListBuckets"), "ListBuckets");
  EXPECT_EQ(name("PUT", "/b"), "CreateBucket");
  EXPECT_EQ(name("HEAD", "/b/"), "HeadBucket");
  EXPECT_EQ(name("DELETE", "/b"), "DeleteBucket");
  EXPECT_EQ(name("GET", "/b?location"), "GetBucketLocation");
  EXPECT_EQ(name("GET", "/b?list-type=2&prefix=a&delimiter=/&max-keys=1&encoding-type=url"), "ListObjects");
  EXPECT_EQ(name("GET", "/b/k?X-Amz-Signature=1"), "GetObject");
  EXPECT_EQ(name("HEAD", "/b/k"), "HeadObject");
  EXPECT_EQ(name("PUT", "/b/k"), "PutObject");
  EXPECT_EQ(name("DELETE", "/b/k"), "DeleteObject");
  EXPECT_EQ(name("POST", "/b?delete"), "DeleteObjects");
  EXPECT_EQ(name("POST", "/b/k?uploads"), "CreateMultipartUpload");
  EXPECT_EQ(name("PUT", "/b/k?partNumber=1&uploadId=u"), "UploadPart");
  EXPECT_EQ(name("POST", "/b/k?uploadId=u"), "CompleteMultipartUpload");
  EXPECT_EQ(name("DELETE", "/b/k?uploadId=u"), "AbortMultipartUpload");
  EXPECT_EQ(name("GET", "/b/k?uploadId=u"), "ListParts");
}

TEST(OperationOf, TheRestIsUnknown) {
  for (const auto& [method, target] : {std::pair{"GET", "/b"},
                                       {"GET", "/b?acl"},
                                       {"GET", "/b?list-type=1"},
                                       {"GET", "/b/k?tagging"},
                                       {"GET", "/b/k?versionId=1"},
                                       {"PUT", "/"},
                                       {"PATCH", "/b/k"},
                                       {"POST", "/b"},
                                       {"POST", "/b/k"},
                                       {"PUT", "/b?policy"},
                                       {"PATCH", "/b/k?uploadId=u"},
                                       {"GET", "/b/k?partNumber=1"}}) {
    EXPECT_EQ(OperationOf(Parse(target, method)), Operation::kUnknown) << method << " " << target;
  }
  Request copy = Parse("/b/k", "PUT");
  copy.headers = {{"x-amz-copy-source", "/b/other"}};
  EXPECT_EQ(OperationOf(copy), Operation::kUnknown);
}

}  // namespace
}  // namespace bucketline::serve
