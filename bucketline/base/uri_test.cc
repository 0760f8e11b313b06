#include "bucketline/base/uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using testing::HasSubstr;
using testing::Not;

Uri Of(std::string scheme, std::string bucket, std::string key) { return {scheme, bucket, key}; }

// The error of Parse(text), or one that says there was none.
Error ParseError(std::string_view text) {
  try {
    Uri::Parse(text);
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::kInternal, "Parse did not throw");
}

TEST(Uri, ParsesEveryForm) {
  EXPECT_EQ(Uri::Parse("s3://bucket/a/b.jpg"), Of("s3", "bucket", "a/b.jpg"));
  EXPECT_EQ(Uri::Parse("s3://bucket/a/"), Of("s3", "bucket", "a/"));
  EXPECT_EQ(Uri::Parse("s3://bucket/"), Of("s3", "bucket", ""));
  EXPECT_EQ(Uri::Parse("s3://bucket"), Of("s3", "bucket", ""));
  EXPECT_EQ(Uri::Parse("mem://name/key"), Of("mem", "name", "key"));
  EXPECT_EQ(Uri::Parse("file:///data/x"), Of("file", "", "/data/x"));
  EXPECT_EQ(Uri::Parse("/data/x"), Of("file", "", "/data/x"));
  EXPECT_EQ(Uri::Parse("data/x"), Of("file", "", "data/x"));
  EXPECT_EQ(Uri::Parse("s3://My_bucket.example-1/k"), Of("s3", "My_bucket.example-1", "k"));
}

TEST(Uri, TakesKeysLiterally) {
  EXPECT_EQ(Uri::Parse("s3://b/a%20b c?d#e").key, "a%20b c?d#e");
  EXPECT_EQ(Uri::Parse("s3://b//x//y").key, "/x//y");
  EXPECT_EQ(Uri::Parse("s3://b/../x").key, "../x");
  EXPECT_EQ(Uri::Parse("s3://b/a://c").key, "a://c");
}

TEST(Uri, ToStringParsesBackToTheSame) {
  for (const char* text : {"s3://b/k", "s3://b", "s3://b//k", "mem://n/a/b/", "file:///x/y", "/x/y", "x"}) {
    const Uri uri = Uri::Parse(text);
    EXPECT_EQ(Uri::Parse(uri.ToString()), uri) << text;
  }
  EXPECT_EQ(Uri::Parse("s3://b").ToString(), "s3://b/");
  EXPECT_EQ(Uri::Parse("file:///x/y").ToString(), "/x/y");
}

TEST(Uri, JoinPutsOneSlashWhereOneIsNeeded) {
  EXPECT_EQ(Uri::Parse("s3://b/p").Join("x").key, "p/x");
  EXPECT_EQ(Uri::Parse("s3://b/p/").Join("x").key, "p/x");
  EXPECT_EQ(Uri::Parse("s3://b").Join("x/y").ToString(), "s3://b/x/y");
  EXPECT_EQ(Uri::Parse("/data").Join("x").ToString(), "/data/x");
  EXPECT_EQ(Uri::Parse("/").Join("x").ToString(), "/x");
}

TEST(Uri, RefusesWhatItCannotUseAndSaysWhatToWrite) {
  const struct {
    const char* text;
    const char* part;
  } cases[] = {
      {"http://host/x", "unknown scheme \"http\""},
      {"://x", "unknown scheme \"\""},
      {"S3://b/k", "use s3://bucket/key"},
      {"file://relative", "absolute path"},
      {"file://", "absolute path"},
      {"s3://", "bucket name is missing"},
      {"s3:///key", "bucket name is missing"},
      {"s3://bad bucket/k", "\"bad bucket\" is not a bucket name"},
      {"mem://a:b/k", "\"a:b\" is not a bucket"},
  };
  for (const auto& [text, part] : cases) {
    const Error error = ParseError(text);
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << text;
    EXPECT_EQ(error.uri(), text);
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
  EXPECT_EQ(ParseError("").code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(ParseError("").what(), HasSubstr("empty"));
}

TEST(Uri, DoesNotRepeatTheSignatureOfAPresignedUrl) {
  const Error error = ParseError("https://b.s3.amazonaws.com/k?X-Amz-Signature=5ec2e7");
  EXPECT_EQ(error.uri(), "https://b.s3.amazonaws.com/k");
  EXPECT_THAT(error.what(), Not(HasSubstr("5ec2e7")));
}

}  // namespace
}  // namespace bucketline
