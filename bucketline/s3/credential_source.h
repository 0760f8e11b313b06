// CredentialSource: one place that gives credentials. A new one is one file, and one line in the chain.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "bucketline/base/log.h"
#include "bucketline/http/transport.h"
#include "bucketline/s3/credentials.h"
#include "bucketline/s3/environment_variables.h"

namespace bucketline {

// What sources work with. All outlive them.
struct CredentialContext {
  HttpTransport* transport = nullptr;
  const Clock* clock = &Clock::Real();
  EnvironmentVariables variables;
  LogSink log = LogToNowhere();
  std::function<double()> random;  // in [0, 1)
};

// Of one request to a service of AWS that hands out credentials.
inline constexpr HttpDeadlines kServiceDeadlines = {.connect = std::chrono::seconds(5),
                                                    .first_byte = std::chrono::seconds(10),
                                                    .stall = std::chrono::seconds(10),
                                                    .total = std::chrono::seconds(15)};

// Used by one thread at a time.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;

  // Asks once; may take seconds, ends soon after a stop request (kCancelled). Reads files afresh. Throws: kConnection,
  // kTimeout, kUnavailable and kThrottled are worth another try, everything else needs a person. No error shows a
  // secret.
  virtual Credentials Fetch(std::stop_token stop) = 0;

  // Credentials that need no waiting, as those of a file; nullopt: Fetch has to be asked. Throws as Fetch does.
  virtual std::optional<Credentials> AtOnce() { return std::nullopt; }

  // For people: "the role arn:... with profile 'base'".
  virtual std::string Name() const = 0;

  // Whether what has expired is better than nothing when the source fails: the machine's own role, whose service
  // extends credentials while it cannot renew them.
  virtual bool OutlivesExpiry() const { return false; }
};

using CredentialSourcePtr = std::unique_ptr<CredentialSource>;

}  // namespace bucketline
