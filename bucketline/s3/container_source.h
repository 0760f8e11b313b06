// ContainerSource: the role of a container (ECS) or pod (EKS Pod Identity), from the agent beside it.
#pragma once

#include <optional>
#include <string>

#include "bucketline/s3/credential_source.h"

namespace bucketline {

// By AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, else ..._FULL_URI; the token by AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE,
// read at each Fetch, else AWS_CONTAINER_AUTHORIZATION_TOKEN.
class ContainerSource : public CredentialSource {
 public:
  // nullopt: no variable names an endpoint. Throws kInvalidArgument for a plain http:// endpoint that is neither this
  // machine nor one of the agents' own addresses: the token would travel in the clear.
  static std::optional<std::string> FindUrl(const EnvironmentVariables& variables);

  ContainerSource(std::string url, const CredentialContext& context);
  Credentials Fetch(std::stop_token stop) override;
  std::string Name() const override;

 private:
  std::string Token() const;  // "" when there is none

  const std::string url_;
  const CredentialContext context_;
};

}  // namespace bucketline
