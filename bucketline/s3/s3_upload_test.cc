#include "bucketline/s3/s3_upload.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/hash.h"
#include "bucketline/s3/s3_testing.h"
#include "bucketline/s3/s3_xml.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

std::string Etag(std::string_view body) { return fmt::format("\"{}\"", Hex(Md5(body))); }

TEST(S3UploadTest, MoreThanTenThousandPartsAreAnErrorThatNamesTheRemedy) {
  testing::ScriptedS3 s3;
  s3.transport.SetHandler([](const HttpRequest& request) {
    if (request.method == "POST")
      return AnswerWith(
          200, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
    return AnswerWith(request.method == "PUT" ? 200 : 204, "", {{"ETag", "\"e\""}});
  });
  S3Upload upload(s3.Client(), "k", {});
  for (size_t i = 0; i < S3Upload::kMaxParts; ++i) upload.Add(Bytes::FromVector({1}));
  const auto added = Catch([&] { upload.Add(Bytes::FromVector({1})); });
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(added.error().what(), ::testing::AllOf(HasSubstr("s3://bucket/k"), HasSubstr("10000 parts"),
                                                     HasSubstr("raise multipart_part_size")));
  upload.Abort();
  EXPECT_EQ(s3.transport.requests().size(), 1 + S3Upload::kMaxParts + 1);
}

TEST(MultipartEtagTest, IsTheMd5OfTheMd5s) {
  // md5(md5("a") + md5("b")) by Python's hashlib.
  EXPECT_EQ(MultipartEtag({{Etag("a")}, {Etag("b")}}), "\"96e024ba2074fe77e8e965ba43a704be-2\"");
  EXPECT_EQ(MultipartEtag({{Etag("a")}, {"\"opaque\""}}), "");
  EXPECT_EQ(MultipartEtag({{"\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\""}}), "");
}

}  // namespace
}  // namespace bucketline
