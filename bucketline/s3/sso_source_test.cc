#include "bucketline/s3/sso_source.h"

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

// sha1("my-sso") and sha1("https://example.awsapps.com/start"), by sha1sum.
constexpr const char* kSessionCache = ".aws/sso/cache/0ad374308c5a4e22f723adf10145eafad7c4031c.json";
constexpr const char* kLegacyCache = ".aws/sso/cache/e8be5486177c5b5392bd9aa76563515b29358e6e.json";
constexpr const char* kToken =
    R"({"accessToken": "sso-token-very-secret", "expiresAt": "2013-05-24T08:00:00Z"})";
constexpr const char* kAnswer =
    R"({"roleCredentials": {"accessKeyId": "ASIA1", "secretAccessKey": "wJalrXUtnFEMI-very-secret",
        "sessionToken": "session-token-very-secret", "expiration": 1369357200000}})";

class SsoSourceTest : public ::testing::Test {
 protected:
  SsoSourceTest() {
    bench_.File(
        ".aws/config",
        "[default]\nsso_session = my-sso\nsso_account_id = 0123\nsso_role_name = Data Reader\n"
        "[sso-session my-sso]\nsso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n"
        "[profile legacy]\nsso_account_id = 0123\nsso_role_name = reader\nsso_region = eu-west-2\n"
        "sso_start_url = https://example.awsapps.com/start\n");
  }
  SsoSource Source(const std::string& profile = "default") {
    return SsoSource(bench_.Profile(profile), bench_.Context());
  }
  Error FetchError() {
    return ErrorOf([&] { Source().Fetch({}); });
  }

  CredentialBench bench_;
};

TEST_F(SsoSourceTest, TheSessionsTokenGivesTheRolesCredentials) {
  bench_.File(kSessionCache, kToken);
  bench_.transport.Push(AnswerWith(200, kAnswer));
  SsoSource source = Source();
  EXPECT_EQ(source.Fetch({}), testing::RoleCredentials("ASIA1"));
  const HttpRequest request = bench_.transport.requests().at(0);
  EXPECT_EQ(request.url,
            "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?account_id=0123&"
            "role_name=Data%20Reader");
  EXPECT_EQ(request.headers.Find("x-amz-sso_bearer_token"), "sso-token-very-secret");
  EXPECT_THAT(source.Name(), AllOf(HasSubstr("Data Reader"), HasSubstr("0123")));
}

TEST_F(SsoSourceTest, TheOlderFormHasItsOwnCache) {
  bench_.File(kLegacyCache, kToken);
  bench_.transport.Push(AnswerWith(200, kAnswer));
  EXPECT_EQ(Source("legacy").Fetch({}).access_key_id, "ASIA1");
  EXPECT_THAT(bench_.transport.requests().at(0).url, HasSubstr("eu-west-2"));
}

TEST_F(SsoSourceTest, TheEndpointMayBeElsewhere) {
  bench_.variables["AWS_ENDPOINT_URL_SSO"] = "http://127.0.0.1:8000/base/";
  bench_.File(kSessionCache, kToken);
  bench_.transport.Push(AnswerWith(200, kAnswer));
  Source().Fetch({});
  EXPECT_THAT(bench_.transport.requests().at(0).url,
              HasSubstr("http://127.0.0.1:8000/base/federation/credentials?"));
}

TEST_F(SsoSourceTest, WithoutAValidSessionItSaysHowToLogIn) {
  const auto expect_login = [](const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnauthenticated);
    EXPECT_THAT(error.message(),
                AllOf(HasSubstr("aws sso login --profile default"), Not(HasSubstr("very-secret"))));
  };
  expect_login(FetchError());
  for (const char* text : {"{}", "[]", "no json", R"({"accessToken": "very-secret"})",
                           R"({"accessToken": "very-secret", "expiresAt": "2013-05-23T23:59:59Z"})",
                           R"({"accessToken": "very\r\nsecret", "expiresAt": "2013-05-25T00:00:00Z"})"}) {
    bench_.File(kSessionCache, text);
    expect_login(FetchError());
  }
  EXPECT_TRUE(bench_.transport.requests().empty());
  bench_.File(kSessionCache, kToken);
  bench_.transport.Push(AnswerWith(401, ""));
  expect_login(FetchError());
}

TEST_F(SsoSourceTest, RefusalsAndNonsenseAreTold) {
  bench_.File(kSessionCache, kToken);
  bench_.transport.Push(AnswerWith(403, "{}"));
  EXPECT_THAT(FetchError().message(), HasSubstr("may this user take this role"));
  bench_.transport.Push(AnswerWith(500, "{}"));
  EXPECT_EQ(FetchError().code(), ErrorCode::kUnavailable);
  for (const char* body :
       {"", "{}", R"({"roleCredentials": 1})", R"({"roleCredentials": {"accessKeyId": "a"}})",
        R"({"roleCredentials": {"accessKeyId": "a", "expiration": 9e18}})",
        R"({"roleCredentials": {"accessKeyId": "a", "expiration": 9000000000000000000}})"}) {
    bench_.transport.Push(AnswerWith(200, body));
    EXPECT_EQ(FetchError().code(), ErrorCode::kUnavailable) << body;
  }
}

TEST_F(SsoSourceTest, WhatIsMissingIsNamedWithItsPlace) {
  bench_.File(".aws/config",
              "[profile a]\nsso_account_id = 1\n[profile b]\nsso_account_id = 1\nsso_role_name = r\n"
              "sso_session = gone\n[profile c]\nsso_account_id = 1\nsso_role_name = r\nsso_region = x\n");
  EXPECT_THAT(ErrorOf([&] { Source("a"); }).message(), AllOf(HasSubstr("'a'"), HasSubstr("sso_role_name")));
  EXPECT_THAT(ErrorOf([&] { Source("b"); }).message(),
              AllOf(HasSubstr("[sso-session gone]"), HasSubstr("sso_region")));
  EXPECT_THAT(ErrorOf([&] { Source("c"); }).message(), AllOf(HasSubstr("'c'"), HasSubstr("sso_start_url")));
}

}  // namespace
}  // namespace bucketline
