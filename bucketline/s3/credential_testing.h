// What tests of credential sources share: a home folder, variables, a scripted network and a clock.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/base/temp_folder.h"
#include "bucketline/http/scripted_transport.h"
#include "bucketline/s3/credential_source.h"
#include "bucketline/s3/s3_testing.h"
#include "bucketline/s3/shared_profile.h"

namespace bucketline::testing {

class CredentialBench {
 public:
  CredentialBench() { variables["HOME"] = home.path(); }

  // Writes a file below the home folder and gives its path.
  std::string File(std::string_view name, std::string_view text) {
    home.Put(name, text);
    return home.Path(name);
  }

  CredentialContext Context() {
    return {.transport = &transport,
            .clock = &clock,
            .variables = Variables(variables),
            .log =
                [this](LogLevel, std::string_view line) {
                  const std::lock_guard lock(mutex);
                  log.emplace_back(line);
                },
            .random = [] { return 0.5; }};
  }
  SharedProfile Profile(const std::string& name = "default") {
    return FindSharedProfile(name, Variables(variables)).value();
  }

  ManualClock clock{kTestTime};
  TempFolder home;
  std::map<std::string, std::string> variables;
  std::mutex mutex;
  std::vector<std::string> log;
  ScriptedTransport transport;
};

// The Error that `fetch` throws.
template <typename Call>
Error ErrorOf(Call call) {
  const auto result = Catch([&] { call(); });
  return result ? Error(ErrorCode::kInternal, "it succeeded") : result.error();
}

// What STS answers, for an hour from kTestTime.
inline std::string StsXml(std::string_view id, std::string_view action = "AssumeRole") {
  return "<" + std::string(action) + "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" +
         std::string(action) + "Result><AssumedRoleUser><Arn>arn:x</Arn></AssumedRoleUser><Credentials>" +
         "<AccessKeyId>" + std::string(id) + "</AccessKeyId><SecretAccessKey>" + std::string(kTestSecret) +
         "</SecretAccessKey><SessionToken>" + std::string(kTestToken) +
         "</SessionToken><Expiration>2013-05-24T01:00:00Z</Expiration></Credentials></" +
         std::string(action) + "Result></" + std::string(action) + "Response>";
}

// What the container's and the instance's endpoint answer.
inline std::string RoleJson(std::string_view id, std::string_view expiration = "2013-05-24T01:00:00Z",
                            std::string_view token_name = "Token") {
  return "{\"Code\": \"Success\", \"AccessKeyId\": \"" + std::string(id) + "\", \"SecretAccessKey\": \"" +
         std::string(kTestSecret) + "\", \"" + std::string(token_name) + "\": \"" + std::string(kTestToken) +
         "\", \"Expiration\": \"" + std::string(expiration) + "\"}";
}

inline constexpr WallTime kTestHourLater = kTestTime + std::chrono::hours(1);

inline Credentials RoleCredentials(std::string id) {
  return {std::move(id), std::string(kTestSecret), std::string(kTestToken), kTestHourLater};
}

}  // namespace bucketline::testing
