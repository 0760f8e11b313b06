// SharedProfile: one profile of the files that AWS tools share (~/.aws/credentials and ~/.aws/config).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "bucketline/s3/s3_store.h"

namespace bucketline {

struct SharedProfile {
  std::string name;
  std::map<std::string, std::string> values;    // both files' keys; those of the credentials file win
  std::map<std::string, std::string> services;  // of its [services x] section: "s3.endpoint_url", ...
  std::string credentials_file;  // the paths that were looked at, for messages; "" when HOME is unknown
  std::string config_file;

  // nullopt when absent or empty.
  std::optional<std::string> Find(std::string_view key) const;
};

// The value of a variable; an empty one counts as unset, as in every AWS tool.
std::optional<std::string> FindVariable(const EnvironmentVariables& variables, const char* name);

// `name` as the user gave it; empty: AWS_PROFILE, else "default". Missing files are empty ones.
// Throws kInvalidArgument when a profile that was asked for by name is in neither file, kIo for a file that
// exists but cannot be read.
SharedProfile LoadSharedProfile(const std::string& name, const EnvironmentVariables& variables);

}  // namespace bucketline
