// ProfileKeysSource: the keys that stand in a profile of the shared files.
#pragma once

#include <string>

#include "bucketline/s3/credential_source.h"
#include "bucketline/s3/shared_profile.h"

namespace bucketline {

// Read afresh each time: tools renew the keys in the file.
class ProfileKeysSource : public CredentialSource {
 public:
  ProfileKeysSource(const SharedProfile& profile, EnvironmentVariables variables);
  Credentials Fetch(std::stop_token stop) override;
  std::optional<Credentials> AtOnce() override { return Fetch({}); }
  std::string Name() const override;

 private:
  const std::string profile_;
  const std::string file_;
  const EnvironmentVariables variables_;
};

bool HasKeys(const SharedProfile& profile);

}  // namespace bucketline
