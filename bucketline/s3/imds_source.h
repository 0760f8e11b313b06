// ImdsSource: the role of an EC2 instance, from its metadata service.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
#pragma once

#include <optional>
#include <string>

#include "bucketline/http/fetch.h"
#include "bucketline/s3/credential_source.h"

namespace bucketline {

// Version 2 of the service (with a session token); version 1 where the token is refused, unless
// AWS_EC2_METADATA_V1_DISABLED is true. Waits AWS_METADATA_SERVICE_TIMEOUT seconds (1) for each answer.
class ImdsSource : public CredentialSource {
 public:
  explicit ImdsSource(const CredentialContext& context);

  static bool Disabled(const EnvironmentVariables& variables);  // AWS_EC2_METADATA_DISABLED

  // Credentials that are about to expire or have expired are extended, as the service asks for while it cannot renew
  // them.
  Credentials Fetch(std::stop_token stop) override;
  std::string Name() const override;
  bool OutlivesExpiry() const override { return true; }

 private:
  std::optional<std::string> Token(const std::stop_token& stop) const;  // nullopt: version 1
  HttpReply Ask(std::string method, const std::string& path, HttpHeaders headers,
                const std::stop_token& stop) const;
  std::string Document(const std::string& path, const std::optional<std::string>& token,
                       const std::stop_token& stop) const;
  void Extend(Credentials& credentials) const;

  const CredentialContext context_;
  const std::string base_;  // http://169.254.169.254
  const Duration patience_;
};

}  // namespace bucketline
