#include "bucketline/s3/profile_keys_source.h"

#include <fmt/format.h>

namespace bucketline {

bool HasKeys(const SharedProfile& profile) {
  return profile.Find("aws_access_key_id") || profile.Find("aws_secret_access_key");
}

ProfileKeysSource::ProfileKeysSource(const SharedProfile& profile, EnvironmentVariables variables)
    : profile_(profile.name),
      file_(profile.keys_in_credentials_file ? profile.credentials_file : profile.config_file),
      variables_(std::move(variables)) {}

Credentials ProfileKeysSource::Fetch(std::stop_token) {
  const auto profile = FindSharedProfile(profile_, variables_);
  if (!profile || !HasKeys(*profile)) {
    throw Error(ErrorCode::kUnauthenticated, fmt::format("{} has lost its keys", Name()));
  }
  return {profile->Find("aws_access_key_id").value_or(""),
          profile->Find("aws_secret_access_key").value_or(""),
          profile->Find("aws_session_token").value_or("")};
}

std::string ProfileKeysSource::Name() const { return fmt::format("profile '{}' in '{}'", profile_, file_); }

}  // namespace bucketline
