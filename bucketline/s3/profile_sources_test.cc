#include "bucketline/s3/profile_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/credential_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::CredentialBench;
using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::RoleCredentials;
using testing::StsXml;

class ProfileSourcesTest : public ::testing::Test {
 protected:
  ProfileSourcesTest() { bench_.variables["AWS_ENDPOINT_URL_STS"] = "http://sts.test"; }

  void Config(std::string_view text) { bench_.File(".aws/config", text); }
  void Keys(std::string_view text) { bench_.File(".aws/credentials", text); }
  ProfileSources Sources() { return {bench_.Context(), "us-east-1"}; }
  CredentialSourcePtr Role(const std::string& name) { return Sources().AssumedRole(bench_.Profile(name)); }
  CredentialSourcePtr Other(const std::string& name) { return Sources().Others(bench_.Profile(name)); }
  Error RoleError(const std::string& name) {
    return ErrorOf([&] { Role(name); });
  }
  void PushSts(std::string_view id) { bench_.transport.Push(AnswerWith(200, StsXml(id))); }
  std::string Body(size_t i) { return std::string(bench_.transport.requests().at(i).body.view()); }
  std::string Signer(size_t i) {
    const std::string header(bench_.transport.requests().at(i).headers.Find("Authorization").value_or(""));
    const size_t begin = header.find("Credential=");
    return begin == header.npos ? "" : header.substr(begin + 11, header.find('/') - begin - 11);
  }

  CredentialBench bench_;
};

TEST_F(ProfileSourcesTest, ARoleIsAssumedWithTheKeysOfItsSourceProfile) {
  Keys("[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = s\n");
  Config(
      "[profile work]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\nregion = eu-west-1\n"
      "external_id = ext\nrole_session_name = me\nduration_seconds = 900\n");
  const auto source = Role("work");
  EXPECT_EQ(source->Name(), "the role arn:aws:iam::1:role/r, assumed with profile 'base' in '" +
                                bench_.home.Path(".aws/credentials") + "'");
  PushSts("ASIA1");
  EXPECT_EQ(source->Fetch({}), RoleCredentials("ASIA1"));
  EXPECT_EQ(Body(0),
            "Action=AssumeRole&DurationSeconds=900&ExternalId=ext&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&"
            "RoleSessionName=me&Version=2011-06-15");
  EXPECT_EQ(Signer(0), "AKIDBASE");
  EXPECT_THAT(std::string(*bench_.transport.requests()[0].headers.Find("Authorization")),
              HasSubstr("/eu-west-1/sts/"));
}

TEST_F(ProfileSourcesTest, TheSessionHasANameAndNothingElseIsSent) {
  Keys("[base]\naws_access_key_id = A\naws_secret_access_key = s\n");
  Config("[profile work]\nrole_arn = arn\nsource_profile = base\n");
  PushSts("ASIA1");
  Role("work")->Fetch({});
  EXPECT_EQ(Body(0),
            "Action=AssumeRole&RoleArn=arn&RoleSessionName=bucketline-1369353600&Version=2011-06-15");
}

TEST_F(ProfileSourcesTest, RolesFollowEachOther) {
  Keys("[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = s\n");
  Config(
      "[profile c]\nrole_arn = arn:c\nsource_profile = b\n"
      "[profile b]\nrole_arn = arn:b\nsource_profile = base\n");
  PushSts("ASIAB");
  PushSts("ASIAC");
  EXPECT_EQ(Role("c")->Fetch({}).access_key_id, "ASIAC");
  EXPECT_EQ(Signer(0), "AKIDBASE");
  EXPECT_THAT(Body(0), HasSubstr("RoleArn=arn%3Ab"));
  EXPECT_EQ(Signer(1), "ASIAB");
  EXPECT_THAT(Body(1), HasSubstr("RoleArn=arn%3Ac"));
  EXPECT_EQ(bench_.transport.requests()[1].headers.Find("x-amz-security-token"), testing::kTestToken);
}

TEST_F(ProfileSourcesTest, AProfileMayBeItsOwnSourceWhenItHasKeys) {
  Config(
      "[profile work]\nrole_arn = arn\nsource_profile = work\naws_access_key_id = AKIDOWN\n"
      "aws_secret_access_key = s\n");
  PushSts("ASIA1");
  EXPECT_EQ(Role("work")->Fetch({}).access_key_id, "ASIA1");
  EXPECT_EQ(Signer(0), "AKIDOWN");
}

TEST_F(ProfileSourcesTest, CirclesAreErrorsThatNameTheProfiles) {
  Config(
      "[profile self]\nrole_arn = arn\nsource_profile = self\n"
      "[profile a]\nrole_arn = arn\nsource_profile = b\n"
      "[profile b]\nrole_arn = arn\nsource_profile = a\n"
      "[profile k]\nrole_arn = arn\nsource_profile = l\naws_access_key_id = A\naws_secret_access_key = s\n"
      "[profile l]\nrole_arn = arn\nsource_profile = k\n");
  for (const char* name : {"self", "a", "k"}) {
    const Error error = RoleError(name);
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << name;
    EXPECT_THAT(error.message(), AllOf(HasSubstr("source_profile"), HasSubstr("circle"))) << name;
  }
}

TEST_F(ProfileSourcesTest, WhatContradictsItselfIsNamed) {
  Config(
      "[profile both]\nrole_arn = arn\nsource_profile = x\ncredential_source = Environment\n"
      "[profile none]\nrole_arn = arn\n"
      "[profile lost]\nrole_arn = arn\nsource_profile = nobody\n"
      "[profile empty]\nrole_arn = arn\nsource_profile = nothing\n[profile nothing]\nregion = eu-west-1\n"
      "[profile odd]\nrole_arn = arn\ncredential_source = Moon\n"
      "[profile ecs]\nrole_arn = arn\ncredential_source = EcsContainer\n");
  EXPECT_THAT(RoleError("both").message(), AllOf(HasSubstr("'both'"), HasSubstr("keep one")));
  EXPECT_THAT(RoleError("none").message(), HasSubstr("needs source_profile or credential_source"));
  EXPECT_THAT(RoleError("lost").message(), AllOf(HasSubstr("'nobody'"), HasSubstr("does not exist")));
  EXPECT_THAT(RoleError("empty").message(), AllOf(HasSubstr("'nothing'"), HasSubstr("no credentials")));
  EXPECT_THAT(RoleError("odd").message(), AllOf(HasSubstr("'Moon'"), HasSubstr("Ec2InstanceMetadata")));
  EXPECT_THAT(RoleError("ecs").message(), HasSubstr("AWS_CONTAINER_CREDENTIALS_FULL_URI"));
}

TEST_F(ProfileSourcesTest, ACodeThatSomebodyTypesIsNotBuiltIn) {
  Keys("[base]\naws_access_key_id = A\naws_secret_access_key = s\n");
  Config("[profile work]\nrole_arn = arn\nsource_profile = base\nmfa_serial = arn:mfa\n");
  const Error error = RoleError("work");
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("mfa_serial"), HasSubstr("export-credentials")));
}

TEST_F(ProfileSourcesTest, TheBaseMayBeTheEnvironment) {
  Config("[profile work]\nrole_arn = arn\ncredential_source = Environment\n");
  const auto without = Role("work");
  EXPECT_EQ(ErrorOf([&] { without->Fetch({}); }).code(), ErrorCode::kUnauthenticated);
  bench_.variables["AWS_ACCESS_KEY_ID"] = "AKIDENV";
  bench_.variables["AWS_SECRET_ACCESS_KEY"] = "s";
  PushSts("ASIA1");
  EXPECT_EQ(Role("work")->Fetch({}).access_key_id, "ASIA1");
  EXPECT_EQ(Signer(0), "AKIDENV");
}

TEST_F(ProfileSourcesTest, TheBaseMayBeTheContainersOrTheInstancesRole) {
  Config(
      "[profile ecs]\nrole_arn = arn\ncredential_source = EcsContainer\n"
      "[profile ec2]\nrole_arn = arn\ncredential_source = Ec2InstanceMetadata\n");
  bench_.variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/x";
  bench_.transport.Push(AnswerWith(200, testing::RoleJson("ASIAECS")));
  PushSts("ASIA1");
  EXPECT_EQ(Role("ecs")->Fetch({}).access_key_id, "ASIA1");
  EXPECT_EQ(Signer(1), "ASIAECS");
  bench_.transport.Push(AnswerWith(200, "metadata-token"));
  bench_.transport.Push(AnswerWith(200, "role"));
  bench_.transport.Push(AnswerWith(200, testing::RoleJson("ASIAEC2")));
  PushSts("ASIA2");
  EXPECT_EQ(Role("ec2")->Fetch({}).access_key_id, "ASIA2");
  EXPECT_EQ(Signer(5), "ASIAEC2");
}

TEST_F(ProfileSourcesTest, WebIdentityIsUnsignedAndReadsItsFileEachTime) {
  bench_.variables["AWS_ROLE_ARN"] = "arn:role";
  bench_.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = bench_.File("token", "first-token\n");
  Config("[default]\nregion = eu-west-1\n");
  const auto source = Sources().WebIdentityOfEnvironment(bench_.Profile());
  EXPECT_THAT(source->Name(), AllOf(HasSubstr("arn:role"), HasSubstr(bench_.home.Path("token"))));
  for (const char* id : {"ASIA1", "ASIA2"}) {
    bench_.transport.Push(AnswerWith(200, StsXml(id, "AssumeRoleWithWebIdentity")));
    EXPECT_EQ(source->Fetch({}), RoleCredentials(id));
    bench_.File("token", "second-token");
  }
  EXPECT_EQ(Body(0),
            "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Arole&RoleSessionName=bucketline-1369353600&"
            "Version=2011-06-15&WebIdentityToken=first-token");
  EXPECT_THAT(Body(1), HasSubstr("WebIdentityToken=second-token"));
  EXPECT_EQ(Signer(0), "");
}

TEST_F(ProfileSourcesTest, WebIdentityOfAProfileIsNoAssumedRole) {
  Config("[profile work]\nrole_arn = arn:role\nrole_session_name = me\nweb_identity_token_file = ~/token\n");
  EXPECT_EQ(Role("work"), nullptr);
  const auto source = Other("work");
  EXPECT_THAT(ErrorOf([&] { source->Fetch({}); }).message(), HasSubstr(bench_.home.Path("token")));
  bench_.File("token", "the-token");
  PushSts("ASIA1");
  EXPECT_EQ(source->Fetch({}).access_key_id, "ASIA1");
  EXPECT_THAT(Body(0), AllOf(HasSubstr("RoleSessionName=me"), HasSubstr("WebIdentityToken=the-token")));
}

TEST_F(ProfileSourcesTest, HalfOfAWebIdentityIsAnError) {
  bench_.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/x";
  Config("[default]\nweb_identity_token_file = /x\n");
  EXPECT_THAT(ErrorOf([&] { Sources().WebIdentityOfEnvironment(bench_.Profile()); }).message(),
              HasSubstr("AWS_ROLE_ARN"));
  EXPECT_THAT(ErrorOf([&] { Other("default"); }).message(), HasSubstr("role_arn"));
}

TEST_F(ProfileSourcesTest, WithinAProfileTheOrderIsBotocores) {
  const std::string process = "credential_process = /bin/false\n";
  const std::string keys = "aws_access_key_id = A\naws_secret_access_key = s\n";
  const std::string sso =
      "sso_account_id = 1\nsso_role_name = r\nsso_region = eu-west-1\nsso_start_url = https://x\n";
  Keys("[all]\n" + keys + "[keys]\n" + keys);
  Config("[profile all]\n" + sso + process + "[profile keys]\n" + process + "[profile process]\n" + process +
         keys + "[profile config]\n" + keys + "[profile nothing]\nregion = x\n");
  EXPECT_THAT(Other("all")->Name(), HasSubstr("single sign-on"));
  EXPECT_THAT(Other("keys")->Name(), HasSubstr(".aws/credentials"));
  EXPECT_THAT(Other("process")->Name(), HasSubstr("credential_process"));
  EXPECT_THAT(Other("config")->Name(), HasSubstr(".aws/config"));
  EXPECT_EQ(Other("nothing"), nullptr);
}

TEST_F(ProfileSourcesTest, ALoginSessionIsNamedAndNeverPassedOver) {
  Config("[default]\nlogin_session = x\ncredential_process = /bin/false\n");
  const Error error = ErrorOf([&] { Other("default"); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("login_session"));
}

TEST_F(ProfileSourcesTest, KeysAreReadAfreshEachTime) {
  Keys("[work]\naws_access_key_id = A\naws_secret_access_key = s\naws_session_token = t\n");
  const auto source = Other("work");
  EXPECT_EQ(source->Fetch({}), (Credentials{"A", "s", "t"}));
  Keys("[work]\naws_access_key_id = B\naws_secret_access_key = s2\n");
  EXPECT_EQ(source->Fetch({}), (Credentials{"B", "s2", ""}));
  Keys("");
  EXPECT_EQ(ErrorOf([&] { source->Fetch({}); }).code(), ErrorCode::kUnauthenticated);
}

}  // namespace
}  // namespace bucketline
