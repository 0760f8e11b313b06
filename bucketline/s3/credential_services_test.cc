// Each source against a stand-in of its service: a real server on loopback, through libcurl, from the shared files and
// variables to the signed request.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/http/curl_transport.h"
#include "bucketline/http/loopback_server_test_util.h"
#include "bucketline/s3/credential_testing.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

using testing::CredentialBench;
using ::testing::HasSubstr;

// What a handler answers: a status line's number and a body.
using Answer = std::function<std::pair<int, std::string>(const std::string& head, const std::string& body)>;

LoopbackServer::Handler Serve(Answer answer) {
  return [answer = std::move(answer)](LoopbackConnection& connection) {
    while (connection.ReadRequest()) {
      const auto [status, body] = answer(connection.head, connection.body);
      connection.Write("HTTP/1.1 " + std::to_string(status) +
                       " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
  };
}

bool Has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

// Runs one HEAD against a store that tells who signed it.
class CredentialServicesTest : public ::testing::Test {
 protected:
  std::string Signer() {
    std::string signer, token;
    LoopbackServer store([&](LoopbackConnection& connection) {
      while (connection.ReadRequest()) {
        const size_t begin = connection.head.find("Credential=") + 11;
        signer = connection.head.substr(begin, connection.head.find('/', begin) - begin);
        if (Has(connection.head, "x-amz-security-token: " + std::string(testing::kTestToken)))
          signer += "+token";
        connection.Respond("", "ETag: \"e\"\r\n");
      }
    });
    const auto transport = MakeCurlTransport();
    Timer timer;
    RetryBudget budget;
    S3Counters counters;
    S3Environment environment;
    environment.transport = transport.get();
    environment.timer = &timer;
    environment.retry_budget = &budget;
    environment.counters = &counters;
    environment.clock = &bench_.clock;
    environment.variables = testing::Variables(bench_.variables);
    S3Options options;
    options.endpoint_url = store.Url("");
    options.max_attempts = 1;
    const auto s3 = MakeS3Store("bucket", options, environment);
    const auto result = Catch([&] { HeadObject(*s3, "k"); });
    return result ? signer : result.error().what();
  }

  CredentialBench bench_;
};

TEST_F(CredentialServicesTest, AssumeRole) {
  LoopbackServer sts(Serve([](const std::string& head, const std::string& body) {
    const bool good = head.starts_with("POST / ") &&
                      Has(head, "Credential=AKIDBASE/20130524/eu-west-1/sts/") &&
                      Has(body, "Action=AssumeRole&") && Has(body, "RoleArn=arn%3Ar");
    return good ? std::pair(200, testing::StsXml("ASIAROLE")) : std::pair(403, std::string());
  }));
  bench_.variables["AWS_ENDPOINT_URL_STS"] = sts.Url("");
  bench_.File(".aws/credentials", "[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = s\n");
  bench_.File(".aws/config", "[default]\nrole_arn = arn:r\nsource_profile = base\nregion = eu-west-1\n");
  EXPECT_EQ(Signer(), "ASIAROLE+token");
}

TEST_F(CredentialServicesTest, WebIdentity) {
  LoopbackServer sts(Serve([](const std::string& head, const std::string& body) {
    const bool good = !Has(head, "Authorization") && Has(body, "Action=AssumeRoleWithWebIdentity&") &&
                      Has(body, "WebIdentityToken=jwt");
    return good ? std::pair(200, testing::StsXml("ASIAWEB", "AssumeRoleWithWebIdentity"))
                : std::pair(403, std::string());
  }));
  bench_.variables["AWS_ENDPOINT_URL_STS"] = sts.Url("");
  bench_.variables["AWS_ROLE_ARN"] = "arn:r";
  bench_.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = bench_.File("jwt", "jwt\n");
  EXPECT_EQ(Signer(), "ASIAWEB+token");
}

TEST_F(CredentialServicesTest, SingleSignOn) {
  LoopbackServer sso(Serve([](const std::string& head, const std::string&) {
    const bool good = head.starts_with("GET /federation/credentials?account_id=1&role_name=r HTTP") &&
                      Has(head, "x-amz-sso_bearer_token: bearer\r\n");
    return good
               ? std::pair(200,
                           "{\"roleCredentials\": {\"accessKeyId\": \"ASIASSO\", \"secretAccessKey\": \"s\", "
                           "\"sessionToken\": \"" +
                               std::string(testing::kTestToken) + "\", \"expiration\": 1369357200000}}")
               : std::pair(403, std::string());
  }));
  bench_.variables["AWS_ENDPOINT_URL_SSO"] = sso.Url("");
  bench_.File(
      ".aws/config",
      "[default]\nsso_account_id = 1\nsso_role_name = r\nsso_region = eu-west-1\nsso_start_url = u\n");
  bench_.File(".aws/sso/cache/51e69892ab49df85c6230ccc57f8e1d1606caccc.json",  // sha1("u")
              R"({"accessToken": "bearer", "expiresAt": "2013-05-24T08:00:00Z"})");
  EXPECT_EQ(Signer(), "ASIASSO+token");
}

TEST_F(CredentialServicesTest, Process) {
  const std::string program = bench_.File("program", "cat \"$(dirname \"$0\")/document\"");
  bench_.File("document", R"({"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": "s"})");
  bench_.File(".aws/config", "[default]\ncredential_process = /bin/sh " + program + "\n");
  EXPECT_EQ(Signer(), "AKIDPROCESS");
}

TEST_F(CredentialServicesTest, Container) {
  LoopbackServer agent(Serve([](const std::string& head, const std::string&) {
    const bool good =
        head.starts_with("GET /v1/credentials HTTP") && Has(head, "Authorization: pod-token\r\n");
    return good ? std::pair(200, testing::RoleJson("ASIAPOD")) : std::pair(401, std::string());
  }));
  bench_.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = agent.Url("/v1/credentials");
  bench_.variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = bench_.File("token", "pod-token");
  EXPECT_EQ(Signer(), "ASIAPOD+token");
}

TEST_F(CredentialServicesTest, InstanceMetadata) {
  LoopbackServer imds(Serve([](const std::string& head, const std::string&) {
    if (head.starts_with("PUT /latest/api/token HTTP") &&
        Has(head, "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n")) {
      return std::pair(200, std::string("imds-token"));
    }
    if (!Has(head, "x-aws-ec2-metadata-token: imds-token\r\n")) return std::pair(401, std::string());
    if (head.starts_with("GET /latest/meta-data/iam/security-credentials/ HTTP"))
      return std::pair(200, std::string("my-role"));
    if (head.starts_with("GET /latest/meta-data/iam/security-credentials/my-role HTTP"))
      return std::pair(200, testing::RoleJson("ASIAEC2"));
    return std::pair(404, std::string());
  }));
  bench_.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = imds.Url("");
  bench_.variables["AWS_METADATA_SERVICE_TIMEOUT"] = "60";
  EXPECT_EQ(Signer(), "ASIAEC2+token");
}

TEST_F(CredentialServicesTest, AServiceThatIsSilentIsGivenUp) {
  LoopbackServer imds([](LoopbackConnection& connection) { connection.WaitForPeer(); });
  bench_.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = imds.Url("");
  bench_.variables["AWS_EC2_METADATA_V1_DISABLED"] = "true";
  EXPECT_THAT(Signer(), AllOf(HasSubstr("no credentials"), HasSubstr(imds.authority())));
}

}  // namespace
}  // namespace bucketline
