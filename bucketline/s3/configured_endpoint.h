// Where a service of AWS is, when the user says so.
#pragma once

#include <string>
#include <string_view>

#include "bucketline/s3/environment_variables.h"
#include "bucketline/s3/shared_profile.h"

namespace bucketline {

// The URL of `service` ("s3", "sts", "sso", "sso_oidc"): AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's
// services section, the profile's endpoint_url; "" when nobody names one or AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true.
std::string ConfiguredEndpointUrl(std::string_view service, const EnvironmentVariables& variables,
                                  const SharedProfile& profile);

// The domain of a region: "amazonaws.com", or China's.
std::string_view AwsDomain(std::string_view region);

}  // namespace bucketline
