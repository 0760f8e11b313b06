// Sts: AWS's Security Token Service, which gives temporary credentials for a role.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "bucketline/s3/credential_source.h"
#include "bucketline/s3/endpoint.h"
#include "bucketline/s3/sigv4.h"

namespace bucketline {

class Sts {
 public:
  // `endpoint_url` empty: AWS's own in `region`.
  Sts(const CredentialContext& context, const std::string& endpoint_url, std::string region);

  // One call of the query API: `parameters` begin with Action. Signed with `signer`, unsigned without. Throws with
  // `role` in the message; kUnauthenticated and kPermissionDenied are answers, kConnection, kTimeout, kUnavailable and
  // kThrottled worth another try.
  Credentials Call(StringPairs parameters, const Credentials* signer, std::string_view role,
                   std::stop_token stop) const;

 private:
  const CredentialContext context_;
  const std::string region_;
  const Endpoint endpoint_;
};

// "bucketline-1700000000", for a role's session that has no name of its own.
std::string DefaultSessionName(const Clock& clock);

}  // namespace bucketline
