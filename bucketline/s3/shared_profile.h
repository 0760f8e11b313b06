// SharedProfile: one profile of the files that AWS tools share (~/.aws/credentials and ~/.aws/config).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "bucketline/s3/environment_variables.h"

namespace bucketline {

struct SharedProfile {
  std::string name;
  std::map<std::string, std::string> values;    // both files' keys; those of the credentials file win
  std::map<std::string, std::string> services;  // of its [services x] section: "s3.endpoint_url", ...
  std::map<std::string, std::string> sso;       // of its [sso-session x] section
  bool keys_in_credentials_file = false;        // aws_access_key_id or its secret stands there
  std::string credentials_file;  // the paths that were looked at, for messages; "" when HOME is unknown
  std::string config_file;

  // nullopt when absent or empty.
  std::optional<std::string> Find(std::string_view key) const;
};

// Missing files are empty ones; nullopt when the profile is in neither. Throws kIo for a file that exists but cannot be
// read.
std::optional<SharedProfile> FindSharedProfile(const std::string& name,
                                               const EnvironmentVariables& variables);

// `name` as the user gave it; empty: AWS_PROFILE, else "default". Throws kInvalidArgument when a profile that was asked
// for by name is in neither file, and as FindSharedProfile does.
SharedProfile LoadSharedProfile(const std::string& name, const EnvironmentVariables& variables);

// "~/x" below HOME; other paths as they are.
std::string ExpandHome(const std::string& path, const EnvironmentVariables& variables);

}  // namespace bucketline
