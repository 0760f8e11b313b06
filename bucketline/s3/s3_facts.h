// S3Facts: what a store of S3 works with, for people who look for a fault.
#pragma once

#include <optional>
#include <string>

#include "bucketline/base/clock.h"
#include "bucketline/base/error.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

struct S3Facts {
  std::string endpoint_url;  // "https://bucket.s3.us-east-1.amazonaws.com"
  std::string host;          // of it, with its port
  std::string region;        // as corrected so far
  bool virtual_host = false;
  bool anonymous = false;
  std::string credentials_source = {};       // where they come from; "" for anonymous
  std::string access_key_id = {};            // no secret: AWS shows it in its own logs
  std::optional<WallTime> expires = {};      // of the credentials
  std::optional<Error> no_credentials = {};  // why there are none
};

// Waits for credentials, at most `patience`. nullopt when `store` is none of S3. Not for threads of the store.
std::optional<S3Facts> FactsOf(const ObjectStore& store, Duration patience);

// Which bucket this is among all: of AWS (each partition has its own names), or of an endpoint of the user's. nullopt when
// `store` is none of S3.
std::optional<std::string> PlaceNameOf(const ObjectStore& store);

}  // namespace bucketline
