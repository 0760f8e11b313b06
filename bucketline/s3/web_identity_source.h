// WebIdentitySource: a role that a token of another identity provider gives, as for pods of Kubernetes.
#pragma once

#include <string>

#include "bucketline/s3/credential_source.h"
#include "bucketline/s3/sts.h"

namespace bucketline {

class WebIdentitySource : public CredentialSource {
 public:
  // The file is read at each Fetch: its owner replaces it. `session_name` "": DefaultSessionName.
  WebIdentitySource(std::string role_arn, std::string session_name, std::string token_file, Sts sts,
                    const Clock& clock);
  Credentials Fetch(std::stop_token stop) override;
  std::string Name() const override;

 private:
  const std::string role_arn_;
  const std::string session_name_;
  const std::string token_file_;
  const Sts sts_;
  const Clock& clock_;
};

}  // namespace bucketline
