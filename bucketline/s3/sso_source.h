// SsoSource: IAM Identity Center, with the token that `aws sso login` left in its cache.
#pragma once

#include <string>

#include "bucketline/s3/credential_source.h"
#include "bucketline/s3/shared_profile.h"

namespace bucketline {

class SsoSource : public CredentialSource {
 public:
  // Of a profile with sso_account_id or sso_role_name; the other settings come from its sso_session, or in the older
  // form from the profile. Throws kInvalidArgument naming what is missing.
  SsoSource(const SharedProfile& profile, const CredentialContext& context);
  Credentials Fetch(std::stop_token stop) override;
  std::string Name() const override;

 private:
  std::string AccessToken() const;
  Error LogInAgain(std::string_view why) const;

  const CredentialContext context_;
  const std::string profile_;
  const std::string account_;
  const std::string role_;
  std::string region_;
  std::string cache_file_;
  std::string portal_;  // its URL
};

}  // namespace bucketline
