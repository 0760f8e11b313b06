#include "bucketline/s3/environment_keys.h"

#include "bucketline/s3/time_format.h"

namespace bucketline {

std::optional<Credentials> FindEnvironmentKeys(const EnvironmentVariables& variables) {
  auto id = FindVariable(variables, "AWS_ACCESS_KEY_ID");
  auto secret = FindVariable(variables, "AWS_SECRET_ACCESS_KEY");
  if (!id && !secret) return std::nullopt;
  return Credentials{id.value_or(""), secret.value_or(""),
                     FindVariable(variables, "AWS_SESSION_TOKEN").value_or(""),
                     ParseIsoDate(FindVariable(variables, "AWS_CREDENTIAL_EXPIRATION").value_or(""))};
}

}  // namespace bucketline
