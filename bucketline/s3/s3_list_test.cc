#include "bucketline/s3/s3_list.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/percent_encoding.h"
#include "bucketline/s3/s3_testing.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::ErrorXml;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ScriptedS3;

std::string Entry(std::string_view key) {
  return fmt::format("<Contents><Key>{}</Key><Size>1</Size><ETag>\"e\"</ETag></Contents>", EncodePath(key));
}
std::string Page(std::string_view inside) {
  return fmt::format("<ListBucketResult><EncodingType>url</EncodingType>{}</ListBucketResult>", inside);
}

Error Refusal(ScriptedS3& s3, const ListRequest& request = {}) {
  const auto store = s3.Store();
  const auto result = Catch([&] { return ListOnePage(*store, request); });
  return result ? Error(ErrorCode::kInternal, "it succeeded") : result.error();
}

TEST(S3ListTest, AsksForWhatIsWanted) {
  ScriptedS3 s3;
  s3.transport.Push(AnswerWith(200, Page("")));
  ListRequest request;
  request.prefix = "a b/";
  request.delimiter = "/";
  request.start_after = "a b/+";
  request.max_keys = 7;
  ListOnePage(*s3.Store(), request);
  EXPECT_EQ(
      s3.transport.requests()[0].url,
      "http://store.test:9000/bucket/?delimiter=%2F&encoding-type=url&list-type=2&max-keys=7&prefix=a%20b%2F"
      "&start-after=a%20b%2F%2B");
}

TEST(S3ListTest, ATokenReplacesTheStart) {
  ScriptedS3 s3;
  s3.transport.Push(AnswerWith(200, Page("")));
  ListRequest request;
  request.start_after = "x";
  request.token = "a+b/=";
  ListOnePage(*s3.Store(), request);
  EXPECT_THAT(s3.transport.requests()[0].url,
              AllOf(HasSubstr("continuation-token=a%2Bb%2F%3D"), Not(HasSubstr("start-after"))));
}

// A bucket of 2,500 keys, served as S3 does: 1000 a page, tokens that are keys.
TEST(S3ListTest, PagesGiveEveryKeyOnce) {
  std::vector<std::string> keys;
  for (int i = 0; i < 2500; ++i) keys.push_back(fmt::format("dir +{:04}/\x01 é", i));
  ScriptedS3 s3;
  s3.transport.SetHandler([&](const HttpRequest& request) {
    const size_t at = request.url.find("continuation-token=");
    const size_t first = at == std::string::npos ? 0 : std::stoul(request.url.substr(at + 22));
    std::string inside;
    const size_t last = std::min(first + 1000, keys.size());
    for (size_t i = first; i < last; ++i) inside += Entry(keys[i]);
    if (last < keys.size()) {
      inside += fmt::format(
          "<IsTruncated>true</IsTruncated><NextContinuationToken>+{}</NextContinuationToken>", last);
    }
    return AnswerWith(200, Page(inside));
  });
  std::vector<uint64_t> progress;
  const auto objects = ListAll(*s3.Store(), "", {}, [&](uint64_t n) { progress.push_back(n); });
  ASSERT_EQ(objects.size(), keys.size());
  for (size_t i = 0; i < keys.size(); ++i) ASSERT_EQ(objects[i].key, keys[i]);
  EXPECT_THAT(progress, ::testing::ElementsAre(1000, 2000, 2500));
}

TEST(S3ListTest, ABrokenPageIsAskedForAgain) {
  ScriptedS3 s3;
  s3.transport.Push(AnswerWith(200, "<?xml version=\"1.0\"?><ListBucketResult><Contents><Key>a</K"));
  s3.transport.Push(AnswerWith(200, ErrorXml("InternalError")));
  s3.transport.Push(AnswerWith(200, ""));
  s3.transport.Push(AnswerWith(200, Page(Entry("a"))));
  EXPECT_EQ(ListOnePage(*s3.Store(), {}).objects.size(), 1u);
  EXPECT_EQ(s3.transport.requests().size(), 4u);
}

TEST(S3ListTest, AForeignAnswerIsNot) {
  ScriptedS3 s3;
  s3.transport.Push(AnswerWith(200, "<!doctype html><html>Log in</html>", {{"Content-Type", "text/html"}}));
  EXPECT_THAT(Refusal(s3).message(), AllOf(HasSubstr("really an S3 endpoint"), HasSubstr("text/html")));
  EXPECT_EQ(s3.transport.requests().size(), 1u);
}

TEST(S3ListTest, AListingThatDoesNotAdvanceIsAnError) {
  ScriptedS3 s3;
  s3.transport.Push(AnswerWith(
      200, Page("<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>")));
  ListRequest request;
  request.token = "t";
  EXPECT_THAT(Refusal(s3, request).message(), HasSubstr("does not advance"));
}

TEST(S3ListTest, KeysOutOfOrderAreAnError) {
  for (const char* second : {"a", "b"}) {
    ScriptedS3 s3;
    s3.transport.Push(AnswerWith(200, Page(Entry("b") + Entry(second))));
    EXPECT_EQ(Refusal(s3).code(), ErrorCode::kUnsupported);
  }
}

TEST(S3ListTest, AnEndlessAnswerIsCutOff) {
  ScriptedS3 s3;
  ScriptedAnswer endless = AnswerWith(200, std::string(DocumentReceiver::kMaxBody + 1, ' '));
  endless.piece = 1 << 20;
  s3.transport.Push(endless);
  EXPECT_THAT(Refusal(s3).message(), HasSubstr("longer than any"));
}

TEST(S3ListTest, SenselessRequestsAreRefusedUnsent) {
  ScriptedS3 s3;
  for (const int max_keys : {0, 1001}) {
    ListRequest request;
    request.max_keys = max_keys;
    EXPECT_EQ(Refusal(s3, request).code(), ErrorCode::kInvalidArgument);
  }
  ListRequest request;
  request.delimiter = "-";
  EXPECT_EQ(Refusal(s3, request).code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(s3.transport.requests().empty());
}

TEST(S3ListTest, AMissingBucketIsNotFound) {
  ScriptedS3 s3;
  s3.transport.Push(testing::ErrorAnswer(404, "NoSuchBucket"));
  const Error error = Refusal(s3);
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("s3://bucket/"), HasSubstr("no such bucket 'bucket'")));
}

std::string VersionsPage(std::string_view inside) {
  return fmt::format("<ListVersionsResult><EncodingType>url</EncodingType>{}</ListVersionsResult>", inside);
}

TEST(S3ListTest, VersionsAreAskedForPageAfterPage) {
  ScriptedS3 s3;
  s3.transport.Push(
      AnswerWith(200, VersionsPage("<IsTruncated>true</IsTruncated><NextKeyMarker>a%2F</NextKeyMarker>"
                                   "<NextVersionIdMarker>v1</NextVersionIdMarker>")));
  s3.transport.Push(
      AnswerWith(200, VersionsPage("<Version><Key>b</Key><VersionId>v2</VersionId><IsLatest>true</"
                                   "IsLatest><Size>1</Size></Version>")));
  ListRequest request;
  request.prefix = "p";
  request.start_after = "a";
  request.versions = true;
  const auto store = s3.Store();
  const ListPage first = ListOnePage(*store, request);
  EXPECT_TRUE(first.objects.empty());
  request.token = first.next_token;
  const ListPage second = ListOnePage(*store, request);
  ASSERT_EQ(second.objects.size(), 1u);
  EXPECT_EQ(second.objects[0].version, "v2");
  EXPECT_EQ(second.next_token, "");
  EXPECT_EQ(s3.transport.requests()[0].url,
            "http://store.test:9000/bucket/?encoding-type=url&key-marker=a&max-keys=1000&prefix=p&versions=");
  EXPECT_EQ(s3.transport.requests()[1].url,
            "http://store.test:9000/bucket/"
            "?encoding-type=url&key-marker=a%2F&max-keys=1000&prefix=p&version-id-marker=v1"
            "&versions=");
}

TEST(S3ListTest, ABucketWithoutVersionsIsNotAskedTwice) {
  ScriptedS3 s3;
  s3.transport.Push(
      AnswerWith(200, VersionsPage("<Version><Key>b</Key><VersionId>null</VersionId><IsLatest>true</"
                                   "IsLatest><Size>1</Size></Version>")));
  ListRequest request;
  request.versions = true;
  const Error error = Refusal(s3, request);
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("the bucket keeps none"));
  EXPECT_EQ(s3.transport.requests().size(), 1u);
}

TEST(S3ListTest, AVersionThatEndsAPageAndBeginsTheNextIsGivenOnce) {
  ScriptedS3 s3;
  const std::string b =
      "<Version><Key>b</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest><Size>1</Size></Version>";
  const std::string c =
      "<Version><Key>c</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest><Size>1</Size></Version>";
  s3.transport.Push(
      AnswerWith(200, VersionsPage(b + "<IsTruncated>true</IsTruncated><NextKeyMarker>b</NextKeyMarker>"
                                       "<NextVersionIdMarker>v2</NextVersionIdMarker>")));
  s3.transport.Push(AnswerWith(200, VersionsPage(b + c)));
  ListRequest request;
  request.versions = true;
  const auto store = s3.Store();
  request.token = ListOnePage(*store, request).next_token;
  const ListPage second = ListOnePage(*store, request);
  ASSERT_EQ(second.objects.size(), 1u);
  EXPECT_EQ(second.objects[0].key, "c");
}

}  // namespace
}  // namespace bucketline
