#include "bucketline/s3/credential_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/credential_testing.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::Completion;
using testing::CredentialBench;
using testing::ErrorOf;
using ::testing::HasSubstr;
using ::testing::Not;

class CredentialChainTest : public ::testing::Test {
 protected:
  std::shared_ptr<CredentialsProvider> Find(const S3Options& options = {}) {
    const SharedProfile profile = LoadSharedProfile(options.profile, bench_.Context().variables);
    return FindCredentials(options, profile, "us-east-1", bench_.Context());
  }
  std::string Source(const S3Options& options = {}) { return Find(options)->Source(); }
  Result<CredentialsPtr> Get() {
    const auto provider = Find();
    Completion<CredentialsPtr> completion;
    provider->Get(completion.Done());
    return completion.Wait();
  }

  CredentialBench bench_;
};

// Each place is added behind all that were there: it must change nothing. Then they go, from the first to the last.
TEST_F(CredentialChainTest, TheOrderIsBotocores) {
  const std::string keys = "aws_access_key_id = A\naws_secret_access_key = s\n";
  const std::string role = "role_arn = arn\nsource_profile = base\n";
  const std::string sso =
      "sso_account_id = 1\nsso_role_name = r\nsso_region = eu-west-1\nsso_start_url = https://x\n";
  const std::string base = "[base]\n" + keys;
  S3Options explicit_keys;
  explicit_keys.access_key_id = "id";
  explicit_keys.secret_access_key = "secret";
  bench_.variables = {{"HOME", bench_.home.path()},   {"AWS_ACCESS_KEY_ID", "env"},
                      {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"},
                      {"AWS_ROLE_ARN", "arn:web"},    {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"}};
  bench_.File(".aws/credentials", base + "[default]\n" + keys);
  const std::string process = "credential_process = /bin/false\n";
  bench_.File(".aws/config", "[default]\n" + role + sso + process);

  EXPECT_EQ(Source(explicit_keys), "the options");
  EXPECT_THAT(Source(), HasSubstr("AWS_ACCESS_KEY_ID"));
  bench_.variables.erase("AWS_ACCESS_KEY_ID");
  bench_.variables.erase("AWS_SECRET_ACCESS_KEY");
  EXPECT_THAT(Source(), HasSubstr("role arn, assumed with"));
  bench_.File(".aws/config", "[default]\n" + sso + process);
  EXPECT_THAT(Source(), HasSubstr("role arn:web, with the web identity"));
  bench_.variables.erase("AWS_WEB_IDENTITY_TOKEN_FILE");
  EXPECT_THAT(Source(), HasSubstr("single sign-on"));
  bench_.File(".aws/config", "[default]\n" + process + keys);
  EXPECT_THAT(Source(), HasSubstr(".aws/credentials"));
  bench_.File(".aws/credentials", base);
  EXPECT_THAT(Source(), HasSubstr("credential_process"));
  bench_.File(".aws/config", "[default]\n" + keys);
  EXPECT_THAT(Source(), HasSubstr(".aws/config"));
  bench_.File(".aws/config", "");
  EXPECT_THAT(Source(), HasSubstr("the container's role at http://169.254.170.2"));
  bench_.variables.erase("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  EXPECT_THAT(Source(), HasSubstr("the instance's role at http://169.254.169.254"));
  bench_.variables["AWS_EC2_METADATA_DISABLED"] = "true";
  EXPECT_EQ(ErrorOf([&] { Find(); }).code(), ErrorCode::kUnauthenticated);
  EXPECT_TRUE(bench_.transport.requests().empty());  // nothing was asked to find out
}

TEST_F(CredentialChainTest, ExplicitOnesAndTheEnvironmentsAreAtHand) {
  S3Options options;
  options.access_key_id = "id";
  options.secret_access_key = "secret";
  EXPECT_EQ(**Find(options)->TryGet(), (Credentials{"id", "secret", ""}));
  bench_.variables["AWS_ACCESS_KEY_ID"] = "env-id";
  bench_.variables["AWS_SECRET_ACCESS_KEY"] = "env-secret";
  bench_.variables["AWS_SESSION_TOKEN"] = "env-token";
  bench_.variables["AWS_CREDENTIAL_EXPIRATION"] = "2013-05-24T01:00:00Z";
  EXPECT_EQ(**Find()->TryGet(), (Credentials{"env-id", "env-secret", "env-token", testing::kTestHourLater}));
}

TEST_F(CredentialChainTest, KeysOfAFileAreAtHandAndCheckedAtOnce) {
  bench_.File(".aws/credentials",
              "[default]\naws_access_key_id = A\naws_secret_access_key = s\n[half]\naws_access_key_id = A\n");
  EXPECT_EQ(**Find()->TryGet(), (Credentials{"A", "s", ""}));
  S3Options options;
  options.profile = "half";
  const Error error = ErrorOf([&] { Find(options); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), HasSubstr("profile 'half'"));
}

TEST_F(CredentialChainTest, EmptyVariablesCountAsUnset) {
  bench_.File(".aws/credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = s\n");
  bench_.variables["AWS_ACCESS_KEY_ID"] = "";
  bench_.variables["AWS_SECRET_ACCESS_KEY"] = "";
  bench_.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "";
  EXPECT_THAT(Source(), HasSubstr(".aws/credentials"));
}

TEST_F(CredentialChainTest, AProfileAskedForByOptionPassesOverTheEnvironment) {
  bench_.File(".aws/credentials", "[work]\naws_access_key_id = A\naws_secret_access_key = s\n");
  bench_.variables["AWS_ACCESS_KEY_ID"] = "env-id";
  bench_.variables["AWS_SECRET_ACCESS_KEY"] = "env-secret";
  bench_.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
  S3Options options;
  options.profile = "work";
  EXPECT_THAT(Source(options), HasSubstr("profile 'work'"));
}

TEST_F(CredentialChainTest, AnonymousNeedsNone) {
  S3Options options;
  options.anonymous = true;
  bench_.File(".aws/config", "[default]\nrole_arn = x\n");
  EXPECT_EQ(Find(options), nullptr);
}

TEST_F(CredentialChainTest, HalfOfAPairIsAnError) {
  S3Options options;
  options.access_key_id = "id";
  EXPECT_EQ(ErrorOf([&] { Find(options); }).code(), ErrorCode::kInvalidArgument);
  bench_.variables["AWS_SECRET_ACCESS_KEY"] = "s";
  EXPECT_THAT(ErrorOf([&] { Find(); }).message(), HasSubstr("AWS_ACCESS_KEY_ID"));
}

TEST_F(CredentialChainTest, NothingAnywhereListsThePlaces) {
  bench_.variables["AWS_EC2_METADATA_DISABLED"] = "true";
  const Error error = ErrorOf([&] { Find(); });
  EXPECT_EQ(error.code(), ErrorCode::kUnauthenticated);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("AWS_ACCESS_KEY_ID"), HasSubstr("'default'"),
                                     HasSubstr("/.aws/credentials"), HasSubstr("/.aws/config"),
                                     HasSubstr("AWS_EC2_METADATA_DISABLED"), HasSubstr("anonymously")));
  bench_.File(".aws/config", "[profile work]\nregion = x\n");
  S3Options options;
  options.profile = "work";
  EXPECT_THAT(ErrorOf([&] { Find(options); }).message(), Not(HasSubstr("AWS_ACCESS_KEY_ID")));
}

TEST_F(CredentialChainTest, AMachineWithoutMetadataListsThePlacesToo) {
  bench_.transport.Push(FailWith(Error(ErrorCode::kConnection, "no route to host")));
  const Error error = Get().error();
  EXPECT_EQ(error.code(), ErrorCode::kUnauthenticated);  // so that nobody tries again
  EXPECT_THAT(error.message(), AllOf(HasSubstr("AWS_ACCESS_KEY_ID"), HasSubstr("169.254.169.254"),
                                     HasSubstr("no route to host"), HasSubstr("anonymously")));
}

TEST_F(CredentialChainTest, AnInstanceThatHadCredentialsOnceHasAPassingFailure) {
  bench_.transport.Push(AnswerWith(200, "token"));
  bench_.transport.Push(AnswerWith(200, "role"));
  bench_.transport.Push(AnswerWith(200, testing::RoleJson("ASIA1")));
  const auto provider = Find();
  Completion<CredentialsPtr> first, second;
  provider->Get(first.Done());
  ASSERT_TRUE(first.Wait());
  provider->Renew(*first.Wait());
  bench_.transport.Push(FailWith(Error(ErrorCode::kConnection, "no route to host")));
  provider->Get(second.Done());
  EXPECT_EQ(second.Wait().error().code(), ErrorCode::kConnection);
}

}  // namespace
}  // namespace bucketline
