// S3Settings: S3Options after the environment and the shared files have had their say.
#pragma once

#include <memory>
#include <string>

#include "bucketline/s3/bucket_place.h"
#include "bucketline/s3/credentials.h"
#include "bucketline/s3/s3_store.h"

namespace bucketline {

// Whether checksums go beyond what S3 requires; see s3/checksum.h.
struct ChecksumUse {
  bool verify = false;  // of whole objects that are read, where the store has one
  bool send = false;    // with what is written

  friend bool operator==(const ChecksumUse&, const ChecksumUse&) = default;
};

struct S3Settings {
  std::string bucket;
  Place place;                                       // to begin with
  bool custom_endpoint = false;                      // not AWS's own
  std::shared_ptr<CredentialsProvider> credentials;  // nullptr: anonymous
  ChecksumUse checksums;
  S3Options options;
};

// Endpoint: option, then ConfiguredEndpointUrl("s3"). Region: option, AWS_REGION,
// AWS_DEFAULT_REGION, the profile, us-east-1. Throws as MakeS3Store does.
S3Settings ResolveSettings(std::string bucket, const S3Options& options, const S3Environment& environment);

}  // namespace bucketline
