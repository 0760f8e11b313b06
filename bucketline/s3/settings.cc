#include "bucketline/s3/settings.h"

#include <cstdlib>

#include <fmt/format.h>

#include "bucketline/base/units.h"
#include "bucketline/s3/checksum.h"

namespace bucketline {
namespace {

bool IsTrue(const std::optional<std::string>& value) {
  return value && (*value == "true" || *value == "True" || *value == "TRUE");
}

std::string EndpointUrl(const S3Options& options, const EnvironmentVariables& variables,
                        const SharedProfile& profile) {
  if (!options.endpoint_url.empty()) return options.endpoint_url;
  if (IsTrue(FindVariable(variables, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) ||
      IsTrue(profile.Find("ignore_configured_endpoint_urls"))) {
    return {};
  }
  if (auto url = FindVariable(variables, "AWS_ENDPOINT_URL_S3")) return *url;
  if (auto url = FindVariable(variables, "AWS_ENDPOINT_URL")) return *url;
  if (auto it = profile.services.find("s3.endpoint_url"); it != profile.services.end()) return it->second;
  return profile.Find("endpoint_url").value_or("");
}

std::string Region(const S3Options& options, const EnvironmentVariables& variables,
                   const SharedProfile& profile) {
  if (!options.region.empty()) return options.region;
  if (auto region = FindVariable(variables, "AWS_REGION")) return *region;
  if (auto region = FindVariable(variables, "AWS_DEFAULT_REGION")) return *region;
  return profile.Find("region").value_or("us-east-1");
}

void CheckLimits(const S3Options& options) {
  const auto refuse = [](std::string message) {
    throw Error(ErrorCode::kInvalidArgument, std::move(message));
  };
  if (options.max_attempts < 1)
    refuse(fmt::format("max_attempts is {}; it must be at least 1", options.max_attempts));
  if (options.deadline <= Duration::zero()) refuse("the deadline of a request must be longer than nothing");
  if (options.multipart_part_size < 5_MiB || options.multipart_part_size > 5_GiB) {
    refuse(fmt::format("multipart_part_size is {}; S3 takes parts of 5 MiB to 5 GiB",
                       FormatByteSize(options.multipart_part_size)));
  }
}

}  // namespace

EnvironmentVariables ProcessVariables() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

S3Settings ResolveSettings(std::string bucket, const S3Options& options,
                           const EnvironmentVariables& variables) {
  CheckLimits(options);
  const SharedProfile profile = LoadSharedProfile(options.profile, variables);
  S3Settings settings;
  settings.region = Region(options, variables, profile);
  const std::string endpoint_url = EndpointUrl(options, variables, profile);
  settings.endpoint = MakeEndpoint(endpoint_url, settings.region, bucket);
  settings.checksums = ResolveChecksumUse(!endpoint_url.empty(), variables, profile);
  settings.credentials = FindCredentials(options, variables, profile);
  settings.bucket = std::move(bucket);
  settings.options = options;
  return settings;
}

}  // namespace bucketline
