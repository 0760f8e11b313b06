#include "bucketline/serve/auth.h"

#include <functional>

#include <gtest/gtest.h>

#include "bucketline/s3/time_format.h"
#include "bucketline/serve/s3_failure.h"

namespace bucketline::serve {
namespace {

// The examples of the S3 API reference: their keys, their moment, their signatures.
const Credentials kKeys = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
const WallTime kThen = *ParseIsoDate("2013-05-24T00:00:00Z");
constexpr char kHost[] = "examplebucket.s3.amazonaws.com";

Request Published() {
  Request request;
  request.method = "GET";
  ParseTarget("/test.txt", request);
  request.headers = {{"host", kHost},
                     {"range", "bytes=0-9"},
                     {"x-amz-content-sha256", std::string(kEmptyPayloadHash)},
                     {"x-amz-date", "20130524T000000Z"},
                     {"authorization",
                      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                      "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                      "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"}};
  return request;
}

Request Presigned() {
  Request request;
  request.method = "GET";
  ParseTarget(
      "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
      "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date="
      "20130524T000000Z"
      "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
      "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
      request);
  request.headers = {{"host", kHost}};
  return request;
}

std::string CodeAt(WallTime now, const Request& request, bool anonymous = false,
                   std::string region = "us-east-1") {
  const ManualClock clock(now);
  Authenticator authenticator(kKeys, std::move(region), anonymous, clock);
  try {
    authenticator.Check(request);
  } catch (const S3Failure& failure) {
    return failure.code();
  }
  return "ok";
}

void Set(Request& request, std::string_view header, std::string_view from, std::string_view to) {
  for (auto& [name, value] : request.headers) {
    if (name == header) value.replace(value.find(from), from.size(), to);
  }
}

std::string Changed(std::string_view header, std::string_view from, std::string_view to) {
  Request request = Published();
  Set(request, header, from, to);
  return CodeAt(kThen, request);
}

TEST(Authenticator, AcceptsThePublishedSignatures) {
  EXPECT_EQ(CodeAt(kThen, Published()), "ok");
  EXPECT_EQ(CodeAt(kThen, Presigned()), "ok");
}

TEST(Authenticator, EveryChangeIsNoticed) {
  EXPECT_EQ(Changed("range", "0-9", "0-8"), "SignatureDoesNotMatch");
  EXPECT_EQ(Changed("host", "example", "other"), "SignatureDoesNotMatch");
  EXPECT_EQ(Changed("x-amz-content-sha256", "e3", "e4"), "SignatureDoesNotMatch");
  EXPECT_EQ(Changed("authorization", "f0e8", "f0e9"), "SignatureDoesNotMatch");
  EXPECT_EQ(Changed("authorization", "bdb41", "bdb4"), "SignatureDoesNotMatch") << "shorter";
  Request request = Published();
  request.method = "PUT";
  EXPECT_EQ(CodeAt(kThen, request), "SignatureDoesNotMatch");
  request = Published();
  request.path = "/test.txt2";
  EXPECT_EQ(CodeAt(kThen, request), "SignatureDoesNotMatch");
  request = Published();
  request.query.emplace_back("versionId", "1");
  EXPECT_EQ(CodeAt(kThen, request), "SignatureDoesNotMatch");
  request = Presigned();
  request.query.emplace_back("x-id", "GetObject");
  EXPECT_EQ(CodeAt(kThen, request), "SignatureDoesNotMatch");
}

TEST(Authenticator, BlanksInHeadersCollapse) {
  Request request = Published();
  Set(request, "range", "bytes=0-9", "  bytes=0-9 ");
  EXPECT_EQ(CodeAt(kThen, request), "ok");
}

TEST(Authenticator, TimeWindows) {
  using std::chrono::minutes;
  EXPECT_EQ(CodeAt(kThen + minutes(14), Published()), "ok");
  EXPECT_EQ(CodeAt(kThen - minutes(14), Published()), "ok");
  EXPECT_EQ(CodeAt(kThen + minutes(16), Published()), "RequestTimeTooSkewed");
  EXPECT_EQ(CodeAt(kThen - minutes(16), Published()), "RequestTimeTooSkewed");
  EXPECT_EQ(CodeAt(kThen + minutes(23 * 60), Presigned()), "ok");
  EXPECT_EQ(CodeAt(kThen + minutes(25 * 60), Presigned()), "AccessDenied");
  EXPECT_EQ(CodeAt(kThen - minutes(16), Presigned()), "RequestTimeTooSkewed");
}

TEST(Authenticator, WhoAsks) {
  Request nobody;
  EXPECT_EQ(CodeAt(kThen, nobody), "AccessDenied");
  EXPECT_EQ(CodeAt(kThen, nobody, true), "ok");
  EXPECT_EQ(CodeAt(kThen, Published(), true), "ok");
  Request wrong = Published();
  Set(wrong, "authorization", "f0e8", "0000");
  EXPECT_EQ(CodeAt(kThen, wrong, true), "SignatureDoesNotMatch")
      << "signed requests are checked all the same";
  EXPECT_EQ(Changed("authorization", "AKIAIOSFODNN7EXAMPLE", "AKIAI"), "InvalidAccessKeyId");
}

TEST(Authenticator, AnotherRegionIsNamed) {
  const ManualClock clock(kThen);
  Authenticator authenticator(kKeys, "eu-west-1", false, clock);
  try {
    authenticator.Check(Published());
    FAIL();
  } catch (const S3Failure& failure) {
    EXPECT_EQ(failure.code(), "AuthorizationHeaderMalformed");
    EXPECT_EQ(failure.status(), 400);
    ASSERT_EQ(failure.details().size(), 1u);
    EXPECT_EQ(failure.details()[0], (std::pair<std::string, std::string>("Region", "eu-west-1")));
  }
  EXPECT_EQ(CodeAt(kThen, Presigned(), false, "eu-west-1"), "AuthorizationQueryParametersError");
}

TEST(Authenticator, MalformedClaims) {
  EXPECT_EQ(Changed("authorization", "AWS4-HMAC-SHA256 ", "AWS "), "InvalidRequest");
  EXPECT_EQ(Changed("authorization", "Credential=", "Cred="), "AuthorizationHeaderMalformed");
  EXPECT_EQ(Changed("authorization", "/s3/", "/ec2/"), "AuthorizationHeaderMalformed");
  EXPECT_EQ(Changed("authorization", "aws4_request", "aws5_request"), "AuthorizationHeaderMalformed");
  EXPECT_EQ(Changed("authorization", "20130524/", "20130525/"), "AuthorizationHeaderMalformed");
  EXPECT_EQ(Changed("authorization", "Signature=", "Sig="), "AuthorizationHeaderMalformed");
  EXPECT_EQ(Changed("x-amz-date", "T", " "), "AccessDenied");
  EXPECT_EQ(Changed("authorization", ";x-amz-date", ""), "AccessDenied") << "x-amz-date is not signed";
  EXPECT_EQ(Changed("authorization", "host;", ""), "AccessDenied") << "the host is not signed";
  Request request = Published();
  std::erase_if(request.headers, [](const auto& header) { return header.first == "x-amz-content-sha256"; });
  EXPECT_EQ(CodeAt(kThen, request), "InvalidRequest");
  for (const char* name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Expires", "X-Amz-SignedHeaders"}) {
    request = Presigned();
    std::erase_if(request.query, [name](const auto& parameter) { return parameter.first == name; });
    EXPECT_EQ(CodeAt(kThen, request), "AuthorizationQueryParametersError") << name;
  }
}

TEST(Authenticator, SignerOfChunksComesWithTheHead) {
  // The published example of a chunked upload.
  Request request;
  request.method = "PUT";
  ParseTarget("/examplebucket/chunkObject.txt", request);
  request.headers = {{"host", "s3.amazonaws.com"},
                     {"x-amz-date", "20130524T000000Z"},
                     {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                     {"content-encoding", "aws-chunked"},
                     {"x-amz-decoded-content-length", "66560"},
                     {"content-length", "66824"},
                     {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
                     {"authorization",
                      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                      "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
                      "x-amz-decoded-content-length;x-amz-storage-class,"
                      "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"}};
  const ManualClock clock(kThen);
  Authenticator authenticator(kKeys, "us-east-1", false, clock);
  std::optional<ChunkSigner> signer = authenticator.Check(request);
  ASSERT_TRUE(signer.has_value());
  EXPECT_EQ(signer->NextChunk(Hex(Sha256(std::string(65536, 'a')))),
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
  EXPECT_FALSE(authenticator.Check(Published()).has_value());
}

}  // namespace
}  // namespace bucketline::serve
