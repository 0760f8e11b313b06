// Authenticator: is a request signed by the one key pair that this endpoint knows?
#pragma once

#include <optional>
#include <string>

#include "bucketline/base/clock.h"
#include "bucketline/s3/credentials.h"
#include "bucketline/s3/sigv4.h"
#include "bucketline/serve/chunk_signature.h"
#include "bucketline/serve/request.h"

namespace bucketline::serve {

// Signature Version 4 in the Authorization header or in the query (presigned). Thread-safe.
class Authenticator {
 public:
  // With `anonymous`, unsigned requests pass; signed ones are checked all the same. `clock` outlives this.
  Authenticator(Credentials keys, std::string region, bool anonymous, const Clock& clock = Clock::Real())
      : keys_(std::move(keys)), region_(std::move(region)), anonymous_(anonymous), clock_(clock) {}

  // The signer of the body's chunks when the head says that they are signed.
  // Throws S3Failure: AccessDenied (unsigned, expired, headers left unsigned), AuthorizationHeaderMalformed
  // or AuthorizationQueryParametersError (with <Region> when another region was signed for),
  // InvalidAccessKeyId, RequestTimeTooSkewed (more than 15 minutes), SignatureDoesNotMatch, InvalidRequest.
  std::optional<ChunkSigner> Check(const Request& request);

 private:
  struct Claim;
  Claim ReadHeader(const Request& request, const std::string& authorization) const;
  Claim ReadQuery(const Request& request) const;
  void CheckScope(const Claim& claim) const;
  void CheckTime(const Claim& claim) const;
  std::string CanonicalRequest(const Request& request, const Claim& claim) const;

  const Credentials keys_;
  const std::string region_;
  const bool anonymous_;
  const Clock& clock_;
  SigningKeyCache signing_keys_;
};

}  // namespace bucketline::serve
