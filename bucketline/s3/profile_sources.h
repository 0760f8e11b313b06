// The sources that a profile of the shared files names.
#pragma once

#include <string>
#include <vector>

#include "bucketline/s3/credential_source.h"
#include "bucketline/s3/shared_profile.h"

namespace bucketline {

class ProfileSources {
 public:
  // `region` is that of STS for profiles without one.
  ProfileSources(const CredentialContext& context, std::string region);

  // The role of role_arn with source_profile or credential_source; nullptr when the profile has none.
  CredentialSourcePtr AssumedRole(const SharedProfile& profile) const;

  // role_arn with web_identity_token_file, single sign-on, keys of the credentials file, credential_process, keys of
  // the config file, in this order; nullptr when there is none of them. Throws kUnsupported for login_session.
  CredentialSourcePtr Others(const SharedProfile& profile) const;

  // AWS_ROLE_ARN with AWS_WEB_IDENTITY_TOKEN_FILE; nullptr without the latter.
  CredentialSourcePtr WebIdentityOfEnvironment(const SharedProfile& profile) const;

 private:
  using Names = std::vector<std::string>;

  CredentialSourcePtr AssumedRole(const SharedProfile& profile, Names visited) const;
  CredentialSourcePtr SourceProfile(const std::string& name, const SharedProfile& parent,
                                    Names visited) const;
  CredentialSourcePtr NamedSource(const std::string& name, const SharedProfile& profile) const;
  CredentialSourcePtr WebIdentity(const SharedProfile& profile) const;

  const CredentialContext context_;
  const std::string region_;
};

}  // namespace bucketline
