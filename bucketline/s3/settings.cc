#include "bucketline/s3/settings.h"

#include <fmt/format.h>

#include "bucketline/base/units.h"
#include "bucketline/s3/checksum.h"
#include "bucketline/s3/configured_endpoint.h"
#include "bucketline/s3/credential_chain.h"

namespace bucketline {
namespace {

std::string Region(const S3Options& options, const EnvironmentVariables& variables,
                   const SharedProfile& profile) {
  if (!options.region.empty()) return options.region;
  if (auto region = FindVariable(variables, "AWS_REGION")) return *region;
  if (auto region = FindVariable(variables, "AWS_DEFAULT_REGION")) return *region;
  return profile.Find("region").value_or("us-east-1");
}

Addressing ProfileAddressing(const SharedProfile& profile) {
  const std::string style = profile.Find("s3.addressing_style").value_or("auto");
  if (style == "auto") return Addressing::kAuto;
  if (style == "path") return Addressing::kPath;
  if (style == "virtual") return Addressing::kVirtual;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("profile '{}' has the addressing_style '{}'; it is auto, path or virtual",
                          profile.name, style));
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

S3Settings ResolveSettings(std::string bucket, const S3Options& options, const S3Environment& environment) {
  CheckLimits(options);
  const SharedProfile profile = LoadSharedProfile(options.profile, environment.variables);
  S3Settings settings;
  settings.options = options;
  settings.place.region = Region(options, environment.variables, profile);
  const std::string url = !options.endpoint_url.empty()
                              ? options.endpoint_url
                              : ConfiguredEndpointUrl("s3", environment.variables, profile);
  settings.custom_endpoint = !url.empty();
  if (options.addressing == Addressing::kAuto) settings.options.addressing = ProfileAddressing(profile);
  settings.place.endpoint = MakeEndpoint(url, settings.place.region, bucket, settings.options.addressing);
  settings.checksums = ResolveChecksumUse(!url.empty(), environment.variables, profile);
  settings.credentials = FindCredentials(options, profile, settings.place.region,
                                         {.transport = environment.transport,
                                          .clock = environment.clock,
                                          .variables = environment.variables,
                                          .log = environment.log,
                                          .random = environment.random});
  settings.bucket = std::move(bucket);
  return settings;
}

}  // namespace bucketline
