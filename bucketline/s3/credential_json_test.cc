#include "bucketline/s3/credential_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/result.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(CredentialJson, IsReadWithTheServicesNameForTheToken) {
  const Credentials credentials = ParseCredentialJson(
      R"({"AccessKeyId": "A", "SecretAccessKey": "S", "Token": "T", "Expiration": "1970-01-01T00:00:07Z"})",
      "Token", "it");
  EXPECT_EQ(credentials.access_key_id, "A");
  EXPECT_EQ(credentials.secret_access_key, "S");
  EXPECT_EQ(credentials.session_token, "T");
  EXPECT_EQ(credentials.expires, WallTime(std::chrono::seconds(7)));
}

TEST(CredentialJson, TokenAndExpirationMayBeMissing) {
  const Credentials credentials =
      ParseCredentialJson(R"({"AccessKeyId": "A", "SecretAccessKey": "S"})", "Token", "it");
  EXPECT_EQ(credentials.session_token, "");
  EXPECT_FALSE(credentials.expires);
}

TEST(CredentialJson, WhatIsMissingIsSaidAndNothingQuoted) {
  struct Fault {
    const char* json;
    const char* why;
  };
  const Fault faults[] = {
      {"", "no JSON object"},
      {"very-secret", "no JSON object"},
      {R"(["very-secret"])", "no JSON object"},
      {R"({"SecretAccessKey": "very-secret"})", "without AccessKeyId"},
      {R"({"AccessKeyId": "A", "Token": "very-secret"})", "without SecretAccessKey"},
      {R"({"AccessKeyId": "A", "SecretAccessKey": "very-secret", "Expiration": "soon"})", "no date"},
  };
  for (const Fault& fault : faults) {
    const auto read = Catch([&] { return ParseCredentialJson(fault.json, "Token", "the agent"); });
    ASSERT_FALSE(read) << fault.json;
    EXPECT_EQ(read.error().code(), ErrorCode::kUnavailable) << fault.json;
    EXPECT_THAT(read.error().message(),
                AllOf(HasSubstr("the agent gave"), HasSubstr(fault.why), Not(HasSubstr("secret"))))
        << fault.json;
  }
}

TEST(CredentialJson, ARefusalIsWorthAnotherTryWhereTheServiceIsAtFault) {
  EXPECT_EQ(ServiceRefusal("it", 403).code(), ErrorCode::kUnauthenticated);
  EXPECT_EQ(ServiceRefusal("it", 429).code(), ErrorCode::kThrottled);
  EXPECT_EQ(ServiceRefusal("it", 500).code(), ErrorCode::kUnavailable);
  const Error error = ServiceRefusal("the agent", 403, "log in");
  EXPECT_EQ(error.message(), "the agent answered HTTP 403; log in");
  EXPECT_EQ(error.http_status(), 403);
}

}  // namespace
}  // namespace bucketline
