#include "bucketline/s3/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/s3_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Variables;

SharedProfile Profile(std::map<std::string, std::string> values) {
  SharedProfile profile;
  profile.name = "work";
  profile.values = std::move(values);
  profile.credentials_file = "/home/me/.aws/credentials";
  profile.config_file = "/home/me/.aws/config";
  return profile;
}

Credentials Found(const S3Options& options, std::map<std::string, std::string> variables,
                  const SharedProfile& profile) {
  const auto provider = FindCredentials(options, Variables(std::move(variables)), profile);
  if (!provider) return {"anonymous", "", ""};
  return provider->Current().ValueOrThrow();
}

Error Refusal(const S3Options& options, std::map<std::string, std::string> variables,
              const SharedProfile& profile) {
  const auto result = Catch([&] { Found(options, std::move(variables), profile); });
  if (!result) return result.error();
  ADD_FAILURE() << "credentials were found";
  return Error(ErrorCode::kInternal, "");
}

const std::map<std::string, std::string> kVariables = {{"AWS_ACCESS_KEY_ID", "env-id"},
                                                       {"AWS_SECRET_ACCESS_KEY", "env-secret"},
                                                       {"AWS_SESSION_TOKEN", "env-token"}};
const std::map<std::string, std::string> kKeys = {{"aws_access_key_id", "file-id"},
                                                  {"aws_secret_access_key", "file-secret"},
                                                  {"aws_session_token", "file-token"}};

TEST(CredentialsTest, ExplicitOnesWin) {
  S3Options options;
  options.access_key_id = "id";
  options.secret_access_key = "secret";
  EXPECT_EQ(Found(options, kVariables, Profile(kKeys)), (Credentials{"id", "secret", ""}));
}

TEST(CredentialsTest, ThenTheEnvironmentThenTheFiles) {
  EXPECT_EQ(Found({}, kVariables, Profile(kKeys)), (Credentials{"env-id", "env-secret", "env-token"}));
  EXPECT_EQ(Found({}, {}, Profile(kKeys)), (Credentials{"file-id", "file-secret", "file-token"}));
}

TEST(CredentialsTest, EmptyVariablesCountAsUnset) {
  EXPECT_EQ(
      Found({}, {{"AWS_ACCESS_KEY_ID", ""}, {"AWS_SECRET_ACCESS_KEY", ""}}, Profile(kKeys)).access_key_id,
      "file-id");
}

TEST(CredentialsTest, AProfileAskedForByOptionPassesOverTheEnvironment) {
  S3Options options;
  options.profile = "work";
  EXPECT_EQ(Found(options, kVariables, Profile(kKeys)).access_key_id, "file-id");
}

TEST(CredentialsTest, AnonymousNeedsNone) {
  S3Options options;
  options.anonymous = true;
  EXPECT_EQ(FindCredentials(options, Variables(kVariables), Profile({{"role_arn", "x"}})), nullptr);
}

TEST(CredentialsTest, HalfOfAPairIsAnErrorThatSaysWhere) {
  S3Options options;
  options.access_key_id = "id";
  EXPECT_EQ(Refusal(options, kVariables, Profile({})).code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(Refusal({}, {{"AWS_SECRET_ACCESS_KEY", "s"}}, Profile(kKeys)).message(),
              HasSubstr("AWS_ACCESS_KEY_ID"));
  EXPECT_THAT(Refusal({}, {}, Profile({{"aws_access_key_id", "i"}})).message(), HasSubstr("profile 'work'"));
}

TEST(CredentialsTest, CharactersThatNoKeyHasAreRefusedWithoutShowingThem) {
  for (const char* secret : {"secret\n", "sec ret", "secret\r\nX-Evil: 1", "secr\xc3\xa9t"}) {
    S3Options options;
    options.access_key_id = "id";
    options.secret_access_key = secret;
    const Error error = Refusal(options, {}, Profile({}));
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.what(), Not(HasSubstr("sec")));
  }
}

TEST(CredentialsTest, SourcesThatAreNotBuiltInAreNamedAndNeverPassedOver) {
  for (const char* key : {"role_arn", "web_identity_token_file", "sso_session", "sso_start_url"}) {
    auto values = kKeys;  // another identity than the one that the user means
    values[key] = "x";
    const Error error = Refusal({}, {}, Profile(values));
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported) << key;
    EXPECT_THAT(error.message(), AllOf(HasSubstr(key), HasSubstr("'work'"), HasSubstr("export-credentials")));
  }
  for (const char* key : {"login_session", "credential_process", "credential_source"}) {
    EXPECT_THAT(Refusal({}, {}, Profile({{key, "x"}})).message(), HasSubstr(key));
    auto values = kKeys;
    values[key] = "x";
    EXPECT_EQ(Found({}, {}, Profile(values)).access_key_id, "file-id") << key;
  }
  for (const char* name : {"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                           "AWS_CONTAINER_CREDENTIALS_FULL_URI"}) {
    const Error error = Refusal({}, {{name, "x"}}, Profile({}));
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported) << name;
    EXPECT_THAT(error.message(), HasSubstr(name));
  }
}

TEST(CredentialsTest, NothingAnywhereListsThePlaces) {
  const Error error = Refusal({}, {}, Profile({}));
  EXPECT_EQ(error.code(), ErrorCode::kUnauthenticated);
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr("AWS_ACCESS_KEY_ID"), HasSubstr("'work'"), HasSubstr("/.aws/credentials"),
                    HasSubstr("/.aws/config"), HasSubstr("--anonymous")));
  S3Options options;
  options.profile = "work";
  EXPECT_THAT(Refusal(options, kVariables, Profile({})).message(), Not(HasSubstr("AWS_ACCESS_KEY_ID")));
}

}  // namespace
}  // namespace bucketline
