// S3Store: an ObjectStore over one bucket of S3 or anything that speaks its protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "bucketline/base/clock.h"
#include "bucketline/base/log.h"
#include "bucketline/base/metrics.h"
#include "bucketline/exec/timer.h"
#include "bucketline/http/transport.h"
#include "bucketline/s3/endpoint.h"
#include "bucketline/s3/environment_variables.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// How a store is reached. Empty fields take the usual variables and files: endpoint from AWS_ENDPOINT_URL_S3,
// AWS_ENDPOINT_URL, the profile; region from AWS_REGION, AWS_DEFAULT_REGION, the profile, else us-east-1.
struct S3Options {
  std::string endpoint_url;  // "http://host:port" or "https://host"; empty: AWS
  std::string region;
  std::string profile;        // of the shared files; empty: AWS_PROFILE, else "default"
  std::string access_key_id;  // explicit credentials win over every other source; both or none
  std::string secret_access_key;
  std::string session_token;
  bool anonymous = false;  // unsigned requests
  bool requester_pays = false;
  Addressing addressing = Addressing::kAuto;  // kAuto: the profile's s3.addressing_style, if it has one

  int max_attempts = 10;                             // of one request, the first included
  Duration deadline = std::chrono::seconds(180);     // of one request with all its attempts and waits
  HttpDeadlines attempt;                             // of one attempt
  uint64_t multipart_part_size = uint64_t{8} << 20;  // writers switch to multipart above this; 5 MiB..5 GiB

  friend bool operator==(const S3Options&, const S3Options&) = default;
};

// What S3 requests of one Runtime share. All outlive the stores.
struct S3Counters {
  Counter requests;    // attempts sent
  Counter retries;     // attempts after the first
  Counter throttled;   // answers 503 SlowDown or 429
  Counter hedges;      // reads that were asked for a second time, as they were late
  Counter hedges_won;  // ... and whose second answer came first
  Counter bytes_read;
  Counter bytes_written;
  Histogram first_byte_us;
};

// How many requests of a Runtime are, and may be, under way; see s3/concurrency_limits.h.
struct ConcurrencyState {
  size_t in_flight = 0;
  size_t waiting = 0;
  size_t limit = 0;       // the lowest of all scopes; 0 before the first request
  uint64_t backoffs = 0;  // times that a limit was cut
};

class RetryBudget;        // s3/retry_policy.h: the token bucket
class HedgeRules;         // s3/hedge_rules.h
class ConcurrencyLimits;  // s3/concurrency_limits.h

// The wait before retry n (1, 2, ...) is random() * min(base * 2^(n-1), longest), or what the server asks
// for.
struct S3Backoff {
  Duration transient = std::chrono::milliseconds(50);
  Duration throttled = std::chrono::milliseconds(100);
  Duration longest = std::chrono::seconds(20);
};

// In [0, 1), different in every process. Thread-safe.
double SystemRandom();

struct S3Environment {
  HttpTransport* transport = nullptr;
  Timer* timer = nullptr;
  RetryBudget* retry_budget = nullptr;
  S3Counters* counters = nullptr;
  HedgeRules* hedges = nullptr;         // nullptr: late reads are waited for
  ConcurrencyLimits* limits = nullptr;  // nullptr: requests are sent at once, however many
  const Clock* clock = &Clock::Real();
  LogSink log = LogToNowhere();
  EnvironmentVariables variables = ProcessVariables();
  S3Backoff backoff = {};
  std::function<double()> random = SystemRandom;  // thread-safe, in [0, 1)
};

// Throws kInvalidArgument (malformed bucket, endpoint or option, unknown profile), kUnsupported (credentials
// of a kind that is not built in), kUnauthenticated (no credentials anywhere: the message lists the places
// that were looked at, and reading anonymously).
std::unique_ptr<ObjectStore> MakeS3Store(std::string bucket, const S3Options& options,
                                         const S3Environment& environment);

}  // namespace bucketline
