#include "bucketline/s3/container_source.h"

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
using testing::RoleJson;
using testing::Variables;

constexpr const char* kFull = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

TEST(ContainerSourceTest, TheRelativePathIsTheAgentsAndWins) {
  EXPECT_EQ(ContainerSource::FindUrl(Variables({})), std::nullopt);
  EXPECT_EQ(ContainerSource::FindUrl(Variables(
                {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/a"}, {kFull, "http://localhost/b"}})),
            "http://169.254.170.2/v2/a");
}

TEST(ContainerSourceTest, APlainConnectionStaysOnTheMachine) {
  for (const char* url :
       {"http://127.0.0.1:80/x", "http://127.1.2.3/x", "http://localhost:8080/x?y=1", "http://[::1]:80/x",
        "http://169.254.170.2/x", "http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1",
        "https://example.com/x", "https://10.0.0.1"}) {
    EXPECT_EQ(ContainerSource::FindUrl(Variables({{kFull, url}})), url);
  }
  for (const char* url : {"http://example.com/x", "http://10.0.0.1/x", "http://127.0.0.1.example.com/x",
                          "http://localhost.example.com", "http://169.254.170.24/", "ftp://localhost/x",
                          "http://me@localhost/", "localhost"}) {
    const Error error = ErrorOf([&] { ContainerSource::FindUrl(Variables({{kFull, url}})); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << url;
    EXPECT_THAT(error.message(), HasSubstr(kFull)) << url;
  }
}

class ContainerSourceFetchTest : public ::testing::Test {
 protected:
  Credentials Get() { return ContainerSource("http://localhost/secret-path", bench_.Context()).Fetch({}); }
  CredentialBench bench_;
};

TEST_F(ContainerSourceFetchTest, TheTokenOfTheFileBeatsTheVariableAndIsReadAfresh) {
  bench_.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "from-variable";
  for (int i = 0; i < 3; ++i) bench_.transport.Push(AnswerWith(200, RoleJson("ASIA1")));
  EXPECT_EQ(Get(), testing::RoleCredentials("ASIA1"));
  bench_.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = bench_.File("token", "one\n");
  Get();
  bench_.File("token", "two");
  Get();
  const auto requests = bench_.transport.requests();
  EXPECT_EQ(requests[0].headers.Find("Authorization"), "from-variable");
  EXPECT_EQ(requests[1].headers.Find("Authorization"), "one");
  EXPECT_EQ(requests[2].headers.Find("Authorization"), "two");
  EXPECT_TRUE(requests[0].direct);
  EXPECT_EQ(requests[0].url, "http://localhost/secret-path");
}

TEST_F(ContainerSourceFetchTest, WithoutATokenNoneIsSent) {
  bench_.transport.Push(AnswerWith(200, RoleJson("ASIA1")));
  Get();
  EXPECT_FALSE(bench_.transport.requests()[0].headers.Find("Authorization"));
}

TEST_F(ContainerSourceFetchTest, ATokenWithALineBreakIsRefusedUnshown) {
  bench_.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "very\r\nEvil: secret";
  const Error error = ErrorOf([&] { Get(); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), Not(HasSubstr("Evil")));
  EXPECT_TRUE(bench_.transport.requests().empty());
}

TEST_F(ContainerSourceFetchTest, RefusalsSayWhatToLookAtAndShowNoPath) {
  const std::pair<int, ErrorCode> cases[] = {{404, ErrorCode::kUnauthenticated},
                                             {401, ErrorCode::kUnauthenticated},
                                             {429, ErrorCode::kThrottled},
                                             {500, ErrorCode::kUnavailable}};
  for (const auto& [status, code] : cases) {
    bench_.transport.Push(AnswerWith(status, "{\"message\": \"very-secret\"}"));
    const Error error = ErrorOf([&] { Get(); });
    EXPECT_EQ(error.code(), code) << status;
    EXPECT_THAT(error.what(), AllOf(HasSubstr("http://localhost"), HasSubstr("role"),
                                    Not(HasSubstr("secret-path")), Not(HasSubstr("very-secret"))));
  }
}

TEST_F(ContainerSourceFetchTest, WhatIsNoDocumentIsRefusedUnquoted) {
  for (const char* body :
       {"", "[]", "<html>very-secret", "{\"AccessKeyId\": \"very-secret\"}",
        "{\"SecretAccessKey\": \"very-secret\"}", "{\"AccessKeyId\": 1, \"SecretAccessKey\": 2}",
        "{\"AccessKeyId\": \"a\", \"SecretAccessKey\": \"very-secret\", \"Expiration\": \"soon\"}"}) {
    bench_.transport.Push(AnswerWith(200, body));
    const Error error = ErrorOf([&] { Get(); });
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable) << body;
    EXPECT_THAT(error.what(), Not(HasSubstr("very-secret")));
  }
}

}  // namespace
}  // namespace bucketline
