#include "bucketline/s3/sts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/credential_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::CredentialBench;
using testing::ErrorOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::StsXml;

class StsTest : public ::testing::Test {
 protected:
  Credentials Call(const Credentials* signer = nullptr, const std::string& url = "http://sts.test") {
    return Sts(bench_.Context(), url, "eu-west-1")
        .Call({{"Action", "AssumeRole"}, {"RoleArn", "arn:aws:iam::1:role/x y"}}, signer, "arn:x", {});
  }
  HttpRequest Sent() { return bench_.transport.requests().at(0); }

  CredentialBench bench_;
};

TEST_F(StsTest, AnAnswerBecomesCredentials) {
  bench_.transport.Push(AnswerWith(200, StsXml("ASIA1")));
  EXPECT_EQ(Call(), testing::RoleCredentials("ASIA1"));
  const HttpRequest request = Sent();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "http://sts.test/");
  EXPECT_EQ(std::string(request.body.view()),
            "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx%20y&Version=2011-06-15");
  EXPECT_EQ(request.headers.Find("Content-Type"), "application/x-www-form-urlencoded; charset=utf-8");
  EXPECT_FALSE(request.headers.Find("Authorization"));
}

// Whether the signature is right is botocore's to say: python/tests/test_credentials.py.
TEST_F(StsTest, ASignedCallNamesItsScope) {
  bench_.transport.Push(AnswerWith(200, StsXml("ASIA1")));
  const Credentials signer{"AKIDBASE", "secret", "base-token"};
  Call(&signer);
  EXPECT_THAT(std::string(*Sent().headers.Find("Authorization")),
              HasSubstr("Credential=AKIDBASE/20130524/eu-west-1/sts/aws4_request"));
  EXPECT_EQ(Sent().headers.Find("x-amz-security-token"), "base-token");
}

TEST_F(StsTest, WithoutAnEndpointItIsTheRegions) {
  for (int i = 0; i < 2; ++i) bench_.transport.Push(AnswerWith(200, StsXml("ASIA1")));
  Call(nullptr, "");
  Sts(bench_.Context(), "", "cn-north-1").Call({}, nullptr, "arn:x", {});
  EXPECT_EQ(bench_.transport.requests()[0].url, "https://sts.eu-west-1.amazonaws.com/");
  EXPECT_EQ(bench_.transport.requests()[1].url, "https://sts.cn-north-1.amazonaws.com.cn/");
}

TEST_F(StsTest, RefusalsKeepTheirMeaning) {
  const std::tuple<int, const char*, ErrorCode> cases[] = {
      {403, "AccessDenied", ErrorCode::kPermissionDenied},
      {403, "InvalidClientTokenId", ErrorCode::kUnauthenticated},
      {403, "SignatureDoesNotMatch", ErrorCode::kUnauthenticated},
      {400, "ExpiredTokenException", ErrorCode::kUnauthenticated},
      {400, "IDPCommunicationError", ErrorCode::kUnavailable},
      {400, "Throttling", ErrorCode::kThrottled},
      {503, "ServiceUnavailable", ErrorCode::kUnavailable},
      {400, "ValidationError", ErrorCode::kInvalidArgument}};
  for (const auto& [status, code, meaning] : cases) {
    bench_.transport.Push(AnswerWith(
        status, "<ErrorResponse><Error><Type>Sender</Type><Code>" + std::string(code) +
                    "</Code><Message>may not</Message></Error><RequestId>R1</RequestId></ErrorResponse>"));
    const Error error = ErrorOf([&] { Call(); });
    EXPECT_EQ(error.code(), meaning) << code;
    EXPECT_THAT(error.message(), AllOf(HasSubstr("arn:x"), HasSubstr("http://sts.test"), HasSubstr(code),
                                       HasSubstr("may not")));
    EXPECT_EQ(error.http_status(), status);
  }
}

TEST_F(StsTest, WhatIsNoAnswerOfStsIsRefusedUnquoted) {
  for (const char* body : {"", "<html>very-secret</html>", "{}",
                           "<R><Credentials><AccessKeyId>very-secret</AccessKeyId></Credentials></R>"}) {
    bench_.transport.Push(AnswerWith(200, body));
    const Error error = ErrorOf([&] { Call(); });
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("arn:x"), Not(HasSubstr("very-secret"))));
  }
}

TEST_F(StsTest, FailuresOfTheNetworkAreItsOwn) {
  bench_.transport.Push(FailWith(Error(ErrorCode::kConnection, "refused")));
  EXPECT_EQ(ErrorOf([&] { Call(); }).code(), ErrorCode::kConnection);
}

}  // namespace
}  // namespace bucketline
