// What tests of this module share: a store whose server is a script.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/http/scripted_transport.h"
#include "bucketline/s3/retry_policy.h"
#include "bucketline/s3/s3_client.h"
#include "bucketline/s3/s3_error.h"
#include "bucketline/s3/s3_store.h"
#include "bucketline/s3/settings.h"

namespace bucketline::testing {

inline constexpr std::string_view kTestKeyId = "AKIATESTKEY";
inline constexpr std::string_view kTestSecret = "wJalrXUtnFEMI-very-secret";
inline constexpr std::string_view kTestToken = "session-token-very-secret";

inline EnvironmentVariables Variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

inline std::string ErrorXml(std::string_view code, std::string_view more = "") {
  return "<?xml version=\"1.0\"?><Error><Code>" + std::string(code) +
         "</Code><Message>what it says</Message>" + std::string(more) + "</Error>";
}

inline ScriptedAnswer ErrorAnswer(int status, std::string_view code,
                                  std::vector<std::pair<std::string, std::string>> headers = {}) {
  return AnswerWith(status, ErrorXml(code), std::move(headers));
}

inline ScriptedAnswer ObjectAnswer(std::string body, std::string etag = "\"e\"") {
  return AnswerWith(200, std::move(body),
                    {{"ETag", std::move(etag)}, {"Last-Modified", "Fri, 24 May 2013 00:00:00 GMT"}});
}

// 2013-05-24T00:00:00Z
inline constexpr WallTime kTestTime{std::chrono::seconds(1369353600)};

// Of a read of s3://bucket/key.
inline S3ErrorContext TestContext() {
  S3ErrorContext context;
  context.uri = "s3://bucket/key";
  context.endpoint_url = "http://store.test";
  context.bucket = "bucket";
  context.region = "us-east-1";
  context.method = "GET";
  context.now = kTestTime;
  return context;
}

// The parts of a store, each to be looked at. Waits are real and last microseconds.
struct ScriptedS3 {
  explicit ScriptedS3(S3Options given = {}, uint64_t retry_tokens = RetryBudget::kCapacity)
      : clock(kTestTime), budget(retry_tokens) {
    environment.transport = &transport;
    environment.timer = &timer;
    environment.retry_budget = &budget;
    environment.counters = &counters;
    environment.clock = &clock;
    environment.variables = Variables({{"AWS_EC2_METADATA_DISABLED", "true"}});
    environment.random = [] { return 0.5; };
    environment.backoff = {std::chrono::microseconds(20), std::chrono::microseconds(20),
                           std::chrono::microseconds(100)};
    environment.log = [this](LogLevel, std::string_view line) {
      std::lock_guard lock(log_mutex);
      log_lines.emplace_back(line);
    };
    options = std::move(given);
    if (options.endpoint_url.empty()) options.endpoint_url = "http://store.test:9000";
    if (!options.anonymous) {
      options.access_key_id = kTestKeyId;
      options.secret_access_key = kTestSecret;
      options.session_token = kTestToken;
    }
  }

  std::unique_ptr<ObjectStore> Store() { return MakeS3Store("bucket", options, environment); }
  std::shared_ptr<S3Client> Client() {
    return std::make_shared<S3Client>(ResolveSettings("bucket", options, environment), environment);
  }
  std::string Log() {
    std::lock_guard lock(log_mutex);
    std::string text;
    for (const std::string& line : log_lines) text += line + "\n";
    return text;
  }

  ManualClock clock;
  Timer timer;
  RetryBudget budget;
  S3Counters counters;
  std::mutex log_mutex;
  std::vector<std::string> log_lines;
  ScriptedTransport transport;  // ends before what its completions use
  S3Options options;
  S3Environment environment;
};

}  // namespace bucketline::testing
