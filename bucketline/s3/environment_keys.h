// The keys that stand in the environment.
#pragma once

#include <optional>

#include "bucketline/s3/credentials.h"
#include "bucketline/s3/environment_variables.h"

namespace bucketline {

inline constexpr const char* kEnvironmentKeys = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

// nullopt when neither half is set.
std::optional<Credentials> FindEnvironmentKeys(const EnvironmentVariables& variables);

}  // namespace bucketline
