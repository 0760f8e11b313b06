#include "bucketline/s3/settings.h"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/s3/s3_testing.h"
#include "bucketline/s3/shared_profile.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Shared files in a folder that is HOME.
class SettingsTest : public ::testing::Test {
 protected:
  SettingsTest() {
    std::filesystem::create_directory(home_.Path(".aws"));
    variables_ = {{"HOME", home_.path()}};
  }

  void Config(const std::string& text) { home_.Put(".aws/config", text); }
  void Keys(const std::string& text) { home_.Put(".aws/credentials", text); }

  S3Settings Resolve(const S3Options& options = {}) {
    S3Environment environment;
    environment.variables = testing::Variables(variables_);
    return ResolveSettings("bucket", options, environment);
  }
  SharedProfile Load(const std::string& name = "") {
    return LoadSharedProfile(name, testing::Variables(variables_));
  }
  Error Refusal(const S3Options& options) {
    const auto result = Catch([&] { Resolve(options); });
    return result ? Error(ErrorCode::kInternal, "it was taken") : result.error();
  }

  testing::TempFolder home_;
  std::map<std::string, std::string> variables_;
};

S3Options Anonymous() {
  S3Options options;
  options.anonymous = true;
  return options;
}

TEST_F(SettingsTest, WithoutAnythingItIsAwsInUsEast1) {
  const S3Settings settings = Resolve(Anonymous());
  EXPECT_EQ(settings.place.endpoint.Url(), "https://bucket.s3.us-east-1.amazonaws.com");
  EXPECT_EQ(settings.place.region, "us-east-1");
  EXPECT_EQ(settings.bucket, "bucket");
}

TEST_F(SettingsTest, EachPlaceOfTheRegionYieldsToTheOneBefore) {
  Config("[default]\nregion = eu-west-1\n");
  EXPECT_EQ(Resolve(Anonymous()).place.region, "eu-west-1");
  variables_["AWS_DEFAULT_REGION"] = "eu-west-2";
  EXPECT_EQ(Resolve(Anonymous()).place.region, "eu-west-2");
  variables_["AWS_REGION"] = "eu-west-3";
  EXPECT_EQ(Resolve(Anonymous()).place.region, "eu-west-3");
  S3Options options = Anonymous();
  options.region = "eu-north-1";
  EXPECT_EQ(Resolve(options).place.region, "eu-north-1");
}

TEST_F(SettingsTest, EachPlaceOfTheEndpointYieldsToTheOneBefore) {
  Config("[default]\nendpoint_url = http://profile\n");
  EXPECT_EQ(Resolve(Anonymous()).place.endpoint.host, "profile");
  Config(
      "[default]\nendpoint_url = http://profile\nservices = mine\n[services mine]\ns3 =\n  endpoint_url = "
      "http://services\n");
  EXPECT_EQ(Resolve(Anonymous()).place.endpoint.host, "services");
  variables_["AWS_ENDPOINT_URL"] = "http://all";
  EXPECT_EQ(Resolve(Anonymous()).place.endpoint.host, "all");
  variables_["AWS_ENDPOINT_URL_S3"] = "http://s3only";
  EXPECT_EQ(Resolve(Anonymous()).place.endpoint.host, "s3only");
  S3Options options = Anonymous();
  options.endpoint_url = "http://option";
  EXPECT_EQ(Resolve(options).place.endpoint.host, "option");
}

TEST_F(SettingsTest, AddressingIsTheOptionElseTheProfiles) {
  Config("[default]\ns3 =\n  addressing_style = path\n");
  EXPECT_EQ(Resolve(Anonymous()).place.endpoint.Url(), "https://s3.us-east-1.amazonaws.com");
  S3Options options = Anonymous();
  options.addressing = Addressing::kVirtual;
  options.endpoint_url = "http://store.test";
  EXPECT_EQ(Resolve(options).place.endpoint.Url(), "http://bucket.store.test");
  Config("[default]\ns3 =\n  addressing_style = virtual\nendpoint_url = http://store.test\n");
  EXPECT_EQ(Resolve(Anonymous()).place.endpoint.Url(), "http://bucket.store.test");
  Config("[default]\ns3 =\n  addressing_style = odd\n");
  EXPECT_THAT(Refusal(Anonymous()).message(), AllOf(HasSubstr("'odd'"), HasSubstr("path or virtual")));
}

TEST_F(SettingsTest, ConfiguredEndpointsCanBeIgnored) {
  Config("[default]\nendpoint_url = http://profile\n");
  variables_["AWS_ENDPOINT_URL"] = "http://all";
  variables_["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_THAT(Resolve(Anonymous()).place.endpoint.host, HasSubstr("amazonaws.com"));
  S3Options options = Anonymous();
  options.endpoint_url = "http://option";
  EXPECT_EQ(Resolve(options).place.endpoint.host, "option");
  variables_["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "false";
  EXPECT_EQ(Resolve(Anonymous()).place.endpoint.host, "all");
  Config("[default]\nignore_configured_endpoint_urls = true\n");
  EXPECT_THAT(Resolve(Anonymous()).place.endpoint.host, HasSubstr("amazonaws.com"));
}

TEST_F(SettingsTest, BothFilesMakeOneProfileAndTheKeysFileWins) {
  Keys("[work]\naws_access_key_id = a\naws_secret_access_key = b\n");
  Config("[profile work]\naws_access_key_id = c\nregion = eu-west-1\n[work]\nregion = not-this\n");
  S3Options options;
  options.profile = "work";
  const S3Settings settings = Resolve(options);
  EXPECT_EQ(**settings.credentials->TryGet(), (Credentials{"a", "b", ""}));
  EXPECT_EQ(settings.place.region, "eu-west-1");
}

TEST_F(SettingsTest, ProfileIsTheOptionElseTheVariableElseDefault) {
  Config(
      "[default]\nregion = r-default\n[profile env]\nregion = r-env\n[profile option]\nregion = r-option\n");
  EXPECT_EQ(Load().Find("region"), "r-default");
  variables_["AWS_PROFILE"] = "env";
  EXPECT_EQ(Load().Find("region"), "r-env");
  EXPECT_EQ(Load("option").Find("region"), "r-option");
}

TEST_F(SettingsTest, ProfileDefaultMayBeWrittenBothWays) {
  Config("[profile default]\nregion = a\n[default]\nregion = b\noutput = json\n");
  EXPECT_EQ(Load().Find("region"), "a");
  EXPECT_EQ(Load().Find("output"), "json");
}

TEST_F(SettingsTest, FilesMayBeElsewhere) {
  home_.Put("k", "[default]\naws_access_key_id = a\n");
  home_.Put("c", "[default]\nregion = b\n");
  variables_["AWS_SHARED_CREDENTIALS_FILE"] = "~/k";
  variables_["AWS_CONFIG_FILE"] = home_.Path("c");
  EXPECT_EQ(Load().Find("aws_access_key_id"), "a");
  EXPECT_EQ(Load().Find("region"), "b");
}

TEST_F(SettingsTest, WithoutHomeThereAreNoFiles) {
  variables_.clear();
  EXPECT_EQ(Load().credentials_file, "");
  EXPECT_TRUE(Load().values.empty());
}

TEST_F(SettingsTest, AnUnknownProfileIsAnErrorOnlyWhenAskedFor) {
  EXPECT_NO_THROW(Load());
  S3Options options = Anonymous();
  options.profile = "nobody";
  const Error error = Refusal(options);
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr("'nobody'"), HasSubstr(".aws/config"), HasSubstr("in the option profile")));
  variables_["AWS_PROFILE"] = "nobody";
  EXPECT_THAT(Refusal(Anonymous()).message(), HasSubstr("AWS_PROFILE"));
}

TEST_F(SettingsTest, OptionsOutsideTheirLimitsAreRefused) {
  S3Options options = Anonymous();
  options.max_attempts = 0;
  EXPECT_THAT(Refusal(options).message(), HasSubstr("max_attempts"));
  options = Anonymous();
  options.deadline = Duration::zero();
  EXPECT_THAT(Refusal(options).message(), HasSubstr("deadline"));
  for (const uint64_t size : {(uint64_t{5} << 20) - 1, (uint64_t{5} << 30) + 1}) {
    options = Anonymous();
    options.multipart_part_size = size;
    EXPECT_THAT(Refusal(options).message(), HasSubstr("multipart_part_size"));
  }
}

TEST_F(SettingsTest, ProcessVariablesAreTheRealOnes) {
  EXPECT_EQ(ProcessVariables()("PATH"), std::string(std::getenv("PATH")));
  EXPECT_EQ(ProcessVariables()("BUCKETLINE_NO_SUCH_VARIABLE"), std::nullopt);
}

}  // namespace
}  // namespace bucketline
