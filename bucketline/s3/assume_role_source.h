// AssumeRoleSource: a role, assumed with the credentials of another source.
#pragma once

#include <optional>
#include <string>

#include "bucketline/s3/credential_source.h"
#include "bucketline/s3/sts.h"

namespace bucketline {

struct Role {
  std::string arn;
  std::string session_name = {};  // "": DefaultSessionName
  std::string external_id = {};
  std::string duration_seconds = {};  // "": STS's default, an hour
};

class AssumeRoleSource : public CredentialSource {
 public:
  AssumeRoleSource(Role role, CredentialSourcePtr base, Sts sts, const Clock& clock);
  Credentials Fetch(std::stop_token stop) override;
  std::string Name() const override;

 private:
  const Role role_;
  const CredentialSourcePtr base_;
  const Sts sts_;
  const Clock& clock_;
};

}  // namespace bucketline
