// Credentials: who we are to the store, and how a request gets them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bucketline/base/clock.h"
#include "bucketline/base/result.h"

namespace bucketline {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;         // never in a message or a log
  std::string session_token;             // "" for long-lived keys; never in a message or a log
  std::optional<WallTime> expires = {};  // absent: as far as anybody knows they never do

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

// Shared by the requests that are signed with them.
using CredentialsPtr = std::shared_ptr<const Credentials>;

// What every attempt asks before it is signed. Thread-safe; never blocks.
class CredentialsProvider {
 public:
  using Done = std::function<void(Result<CredentialsPtr>)>;

  virtual ~CredentialsProvider() = default;

  // The credentials at hand, when they will do; nullopt: Get() has to wait for others.
  virtual std::optional<CredentialsPtr> TryGet() = 0;

  // `done` exactly once: inside this call, or on a thread of the provider's, which it must not keep and on which it
  // must not drop the last reference to the provider.
  virtual void Get(Done done) = 0;

  // The store says that these have expired or are not known any more. False: there is no way to others. True: the next
  // Get gives others, unless the source has none.
  virtual bool Renew(const CredentialsPtr& rejected) = 0;

  // Where they come from, for people: "profile 'work'". No secret.
  virtual std::string Source() const = 0;

  // Ends what runs; every waiting Get, and each later one that would have to wait, fails with kCancelled. Returns when
  // no thread is left. Idempotent.
  virtual void Stop() = 0;
};

// Credentials that never change. Throws kInvalidArgument as CheckCredentials does.
std::shared_ptr<CredentialsProvider> StaticCredentials(Credentials credentials, std::string source);

// Throws kInvalidArgument, naming `source`: half of a key pair, or characters that no key has.
void CheckCredentials(const Credentials& credentials, std::string_view source);

}  // namespace bucketline
