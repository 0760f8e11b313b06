// Credentials: who we are to the store, and the places where that may be written down.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "bucketline/s3/s3_store.h"
#include "bucketline/s3/shared_profile.h"

namespace bucketline {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;  // never in a message or a log
  std::string session_token;      // "" for long-lived keys

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

// What every attempt asks before it is signed. Thread-safe; never blocks: a source whose credentials expire
// renews them in the background and answers with the current ones.
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  virtual Result<Credentials> Current() = 0;
};

// Credentials that never change.
std::shared_ptr<CredentialsProvider> StaticCredentials(Credentials credentials);

// Walks the chain: explicit, environment (not when options.profile names a profile, as botocore does), the
// shared files. nullptr for anonymous. May read files. A new source is one file and one line in the chain.
// Throws kInvalidArgument (half of a key pair, characters that no key has), kUnsupported (the profile or the
// environment names a source that is not built in; it is named), kUnauthenticated (nothing anywhere: the
// places are listed).
std::shared_ptr<CredentialsProvider> FindCredentials(const S3Options& options,
                                                     const EnvironmentVariables& variables,
                                                     const SharedProfile& profile);

}  // namespace bucketline
