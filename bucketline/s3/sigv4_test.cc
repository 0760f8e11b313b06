#include "bucketline/s3/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bucketline {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

// The examples of the S3 manual: "Signature Calculations for the Authorization Header" and "... Query
// Parameters".
SigningInput Example() {
  SigningInput input;
  input.host = "examplebucket.s3.amazonaws.com";
  input.credentials = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
  input.region = "us-east-1";
  input.time = WallTime(std::chrono::seconds(1369353600));
  return input;
}

SignedHeaders Signed(const SigningInput& input) {
  SigningKeyCache keys;
  return Sign(input, keys);
}

TEST(SigV4Test, PublishedGetWithRange) {
  SigningInput input = Example();
  input.path = "/test.txt";
  input.headers = {{"Range", "bytes=0-9"}};
  const SignedHeaders out = Signed(input);
  EXPECT_EQ(out.canonical_request,
            "GET\n/test.txt\n\nhost:examplebucket.s3.amazonaws.com\nrange:bytes=0-9\n"
            "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
            "x-amz-date:20130524T000000Z\n\nhost;range;x-amz-content-sha256;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(out.string_to_sign,
            "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n"
            "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972");
  EXPECT_EQ(out.authorization,
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4Test, PublishedPut) {
  SigningInput input = Example();
  input.method = "PUT";
  input.path = "/test$file.text";
  input.headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
  input.payload_hash = Hex(Sha256("Welcome to Amazon S3."));
  const SignedHeaders out = Signed(input);
  EXPECT_EQ(out.path_and_query, "/test%24file.text");
  EXPECT_THAT(out.authorization,
              EndsWith("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

TEST(SigV4Test, PublishedGetOfTheLifecycle) {
  SigningInput input = Example();
  input.query = {{"lifecycle", ""}};
  const SignedHeaders out = Signed(input);
  EXPECT_EQ(out.path_and_query, "/?lifecycle=");
  EXPECT_THAT(out.authorization,
              EndsWith("fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
}

TEST(SigV4Test, PublishedListing) {
  SigningInput input = Example();
  input.query = {{"prefix", "J"}, {"max-keys", "2"}};
  EXPECT_THAT(Signed(input).authorization,
              EndsWith("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(SigV4Test, PublishedPresignedUrl) {
  SigningInput input = Example();
  input.path = "/test.txt";
  EXPECT_EQ(Presign(input, std::chrono::hours(24)),
            "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%"
            "2Fus-east-1"
            "%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(SigV4Test, PresignedUrlCarriesTheTokenAndLivesSevenDaysAtMost) {
  SigningInput input = Example();
  input.credentials.session_token = "to/ken";
  EXPECT_THAT(Presign(input, std::chrono::seconds(1)), HasSubstr("&X-Amz-Security-Token=to%2Fken&"));
  EXPECT_NO_THROW(Presign(input, std::chrono::seconds(604800)));
  EXPECT_THROW(Presign(input, std::chrono::seconds(604801)), Error);
  EXPECT_THROW(Presign(input, std::chrono::seconds(0)), Error);
}

TEST(SigV4Test, QueryIsSortedAfterEncoding) {
  // "-" sorts before "%2B" only while it is raw; encoded names decide.
  EXPECT_EQ(CanonicalQuery({{"b", ""}, {"a-", "1"}, {"a+", "2"}, {"a", "z"}, {"a", "b"}, {"", ""}}),
            "=&a=b&a=z&a%2B=2&a-=1&b=");
  EXPECT_EQ(CanonicalQuery({}), "");
}

TEST(SigV4Test, SendsWhatItSigned) {
  SigningInput input = Example();
  input.credentials.session_token = "token";
  input.path = "/a//b/../%41 \x01";
  input.query = {{"x", "y z"}};
  const SignedHeaders out = Signed(input);
  EXPECT_EQ(out.path_and_query, "/a//b/../%2541%20%01?x=y%20z");
  EXPECT_THAT(out.canonical_request, HasSubstr("GET\n/a//b/../%2541%20%01\nx=y%20z\n"));
  EXPECT_THAT(out.headers,
              ::testing::ElementsAre(Pair("x-amz-date", "20130524T000000Z"),
                                     Pair("x-amz-content-sha256", std::string(kEmptyPayloadHash)),
                                     Pair("x-amz-security-token", "token"),
                                     Pair("Authorization", out.authorization)));
  EXPECT_THAT(out.authorization, HasSubstr("host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"));
}

TEST(SigV4Test, HeadersAreLoweredTrimmedCollapsedMergedAndSorted) {
  SigningInput input = Example();
  input.headers = {{"X-Amz-Meta-B", "  two \t words  "}, {"x-amz-meta-a", "1"}, {"X-AMZ-meta-a", "2"}};
  EXPECT_THAT(Signed(input).canonical_request,
              HasSubstr("x-amz-meta-a:1,2\nx-amz-meta-b:two words\n\nhost;"));
}

TEST(SigV4Test, HeadersThatChangeOnTheWayStayUnsigned) {
  SigningInput input = Example();
  for (const char* name : {"User-Agent", "Accept-Encoding", "Connection", "Expect", "Transfer-Encoding",
                           "X-Amzn-Trace-Id", "Authorization"}) {
    input.headers = {{name, "value"}};
    EXPECT_THAT(Signed(input).canonical_request, Not(HasSubstr("value"))) << name;
  }
}

TEST(SigningKeyCacheTest, GivesEachQuadrupleItsOwnKey) {
  SigningKeyCache keys;
  const Sha256Digest first = keys.Get("secret", "20130524", "us-east-1", "s3");
  EXPECT_EQ(keys.Get("secret", "20130524", "us-east-1", "s3"), first);
  EXPECT_NE(keys.Get("secret2", "20130524", "us-east-1", "s3"), first);
  EXPECT_NE(keys.Get("secret", "20130525", "us-east-1", "s3"), first);
  EXPECT_NE(keys.Get("secret", "20130524", "us-east-2", "s3"), first);
  EXPECT_NE(keys.Get("secret", "20130524", "us-east-1", "sts"), first);
  EXPECT_EQ(keys.Get("secret", "20130524", "us-east-1", "s3"), first);
}

}  // namespace
}  // namespace bucketline
