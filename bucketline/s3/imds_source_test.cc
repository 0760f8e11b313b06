#include "bucketline/s3/imds_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/credential_testing.h"

namespace bucketline {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using testing::CredentialBench;
using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::RoleJson;

class ImdsSourceTest : public ::testing::Test {
 protected:
  Credentials Get() { return ImdsSource(bench_.Context()).Fetch({}); }
  void Push(int status, std::string body) { bench_.transport.Push(AnswerWith(status, std::move(body))); }
  HttpRequest Sent(size_t i) { return bench_.transport.requests().at(i); }

  CredentialBench bench_;
};

TEST_F(ImdsSourceTest, VersionTwoAsksForATokenFirst) {
  Push(200, "the-token");
  Push(200, "my-role\n");
  Push(200, RoleJson("ASIA1"));
  EXPECT_EQ(Get(), testing::RoleCredentials("ASIA1"));
  EXPECT_EQ(Sent(0).method, "PUT");
  EXPECT_EQ(Sent(0).url, "http://169.254.169.254/latest/api/token");
  EXPECT_EQ(Sent(0).headers.Find("x-aws-ec2-metadata-token-ttl-seconds"), "21600");
  EXPECT_EQ(Sent(1).url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/");
  EXPECT_EQ(Sent(2).url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role");
  for (const size_t i : {1, 2}) {
    EXPECT_EQ(Sent(i).method, "GET");
    EXPECT_EQ(Sent(i).headers.Find("x-aws-ec2-metadata-token"), "the-token");
  }
  for (const size_t i : {0, 1, 2}) {
    EXPECT_TRUE(Sent(i).direct);
    EXPECT_EQ(Sent(i).deadlines.connect, Duration(1s));
  }
}

TEST_F(ImdsSourceTest, WhereTheTokenIsRefusedVersionOneServes) {
  for (const int status : {403, 404, 405}) {
    const size_t before = bench_.transport.requests().size();
    Push(status, "");
    Push(200, "role");
    Push(200, RoleJson("ASIA1"));
    EXPECT_EQ(Get().access_key_id, "ASIA1");
    EXPECT_FALSE(Sent(before + 1).headers.Find("x-aws-ec2-metadata-token"));
  }
  bench_.transport.Push(FailWith(Error(ErrorCode::kTimeout, "first byte")));
  Push(200, "role");
  Push(200, RoleJson("ASIA1"));
  EXPECT_EQ(Get().access_key_id, "ASIA1");
}

TEST_F(ImdsSourceTest, VersionOneCanBeForbidden) {
  bench_.variables["AWS_EC2_METADATA_V1_DISABLED"] = "true";
  Push(403, "");
  EXPECT_EQ(ErrorOf([&] { Get(); }).code(), ErrorCode::kUnauthenticated);
  bench_.transport.Push(FailWith(Error(ErrorCode::kTimeout, "first byte")));
  EXPECT_EQ(ErrorOf([&] { Get(); }).code(), ErrorCode::kTimeout);
  EXPECT_EQ(bench_.transport.requests().size(), 2u);
}

TEST_F(ImdsSourceTest, ItMayBeElsewhere) {
  const auto base = [&] { return ImdsSource(bench_.Context()).Name(); };
  EXPECT_EQ(base(), "the instance's role at http://169.254.169.254");
  bench_.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] = "IPv6";
  EXPECT_EQ(base(), "the instance's role at http://[fd00:ec2::254]");
  bench_.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:1338/";
  EXPECT_EQ(base(), "the instance's role at http://127.0.0.1:1338");
}

TEST_F(ImdsSourceTest, PatienceIsAnOptionWithinReason) {
  bench_.variables["AWS_METADATA_SERVICE_TIMEOUT"] = "5";
  Push(200, "t");
  Push(404, "");
  ErrorOf([&] { Get(); });
  EXPECT_EQ(Sent(0).deadlines.first_byte, Duration(5s));
  for (const char* text : {"0", "61", "-1", "soon", "1s"}) {
    bench_.variables["AWS_METADATA_SERVICE_TIMEOUT"] = text;
    EXPECT_THAT(ErrorOf([&] { Get(); }).message(), HasSubstr(text));
  }
}

TEST_F(ImdsSourceTest, CredentialsThatExpireAtOnceAreExtended) {
  Push(200, "t");
  Push(200, "role");
  Push(200, RoleJson("ASIA1", "2013-05-23T23:00:00Z"));
  EXPECT_EQ(Get().expires, testing::kTestTime + 15min + 6min);
  ASSERT_EQ(bench_.log.size(), 1u);
  EXPECT_THAT(bench_.log[0], HasSubstr("169.254.169.254"));
}

TEST_F(ImdsSourceTest, AnInstanceWithoutARoleIsToldSo) {
  Push(200, "t");
  Push(404, "");
  EXPECT_THAT(ErrorOf([&] { Get(); }).message(), HasSubstr("instance profile"));
  Push(200, "t");
  Push(200, "\n");
  EXPECT_THAT(ErrorOf([&] { Get(); }).message(), HasSubstr("no role"));
}

TEST_F(ImdsSourceTest, FailuresKeepTheirMeaning) {
  bench_.transport.Push(FailWith(Error(ErrorCode::kConnection, "no route")));
  EXPECT_EQ(ErrorOf([&] { Get(); }).code(), ErrorCode::kConnection);
  Push(500, "");
  EXPECT_EQ(ErrorOf([&] { Get(); }).code(), ErrorCode::kUnavailable);
  Push(200, "t");
  Push(503, "");
  EXPECT_EQ(ErrorOf([&] { Get(); }).code(), ErrorCode::kUnavailable);
}

TEST_F(ImdsSourceTest, ItCanBeSwitchedOff) {
  EXPECT_FALSE(ImdsSource::Disabled(bench_.Context().variables));
  bench_.variables["AWS_EC2_METADATA_DISABLED"] = "True";
  EXPECT_TRUE(ImdsSource::Disabled(bench_.Context().variables));
}

}  // namespace
}  // namespace bucketline
