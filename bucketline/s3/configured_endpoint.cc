#include "bucketline/s3/configured_endpoint.h"

#include <algorithm>

namespace bucketline {
namespace {

std::string VariableOf(std::string_view service) {
  std::string name = "AWS_ENDPOINT_URL_";
  std::ranges::transform(service, std::back_inserter(name),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return name;
}

}  // namespace

std::string ConfiguredEndpointUrl(std::string_view service, const EnvironmentVariables& variables,
                                  const SharedProfile& profile) {
  if (IsTrue(FindVariable(variables, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) ||
      IsTrue(profile.Find("ignore_configured_endpoint_urls"))) {
    return {};
  }
  if (auto url = FindVariable(variables, VariableOf(service).c_str())) return *url;
  if (auto url = FindVariable(variables, "AWS_ENDPOINT_URL")) return *url;
  const auto section = profile.services.find(std::string(service) + ".endpoint_url");
  if (section != profile.services.end() && !section->second.empty()) return section->second;
  return profile.Find("endpoint_url").value_or("");
}

std::string_view AwsDomain(std::string_view region) {
  return region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

}  // namespace bucketline
