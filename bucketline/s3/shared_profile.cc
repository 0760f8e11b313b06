#include "bucketline/s3/shared_profile.h"

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/s3/ini_file.h"

namespace bucketline {
namespace {

std::string PathOf(const EnvironmentVariables& variables, const char* variable, const char* below_home) {
  if (auto path = FindVariable(variables, variable)) return ExpandHome(*path, variables);
  const auto home = FindVariable(variables, "HOME");
  return home ? *home + below_home : std::string();
}

IniSections Read(const std::string& path) { return path.empty() ? IniSections() : ReadIniFile(path); }

void AddMissing(const std::map<std::string, std::string>& from, std::map<std::string, std::string>& to) {
  for (const auto& [key, value] : from) {
    if (!value.empty()) to.try_emplace(key, value);
  }
}

// The section of the config file that a profile names, "[services x]" for `services = x`.
std::map<std::string, std::string> Named(const SharedProfile& profile, const char* key, const char* kind,
                                         const IniSections& config) {
  const auto name = profile.Find(key);
  if (!name) return {};
  const auto found = config.find(std::string(kind) + " " + *name);
  return found == config.end() ? std::map<std::string, std::string>() : found->second;
}

SharedProfile Empty(const std::string& name, const EnvironmentVariables& variables) {
  SharedProfile profile;
  profile.name = name;
  profile.credentials_file = PathOf(variables, "AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials");
  profile.config_file = PathOf(variables, "AWS_CONFIG_FILE", "/.aws/config");
  return profile;
}

}  // namespace

std::string ExpandHome(const std::string& path, const EnvironmentVariables& variables) {
  const auto home = FindVariable(variables, "HOME");
  return home && path.starts_with("~/") ? *home + path.substr(1) : path;
}

std::optional<std::string> SharedProfile::Find(std::string_view key) const {
  const auto found = values.find(std::string(key));
  if (found == values.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

std::optional<SharedProfile> FindSharedProfile(const std::string& name,
                                               const EnvironmentVariables& variables) {
  SharedProfile profile = Empty(name, variables);
  const IniSections credentials = Read(profile.credentials_file);
  const IniSections config = Read(profile.config_file);
  bool found = false;
  const auto add = [&](const IniSections& file, const std::string& section) {
    const auto it = file.find(section);
    if (it == file.end()) return;
    found = true;
    AddMissing(it->second, profile.values);
  };
  add(credentials, name);
  profile.keys_in_credentials_file =
      profile.Find("aws_access_key_id") || profile.Find("aws_secret_access_key");
  add(config, "profile " + name);
  if (name == "default") add(config, "default");
  if (!found) return std::nullopt;
  profile.services = Named(profile, "services", "services", config);
  profile.sso = Named(profile, "sso_session", "sso-session", config);
  return profile;
}

SharedProfile LoadSharedProfile(const std::string& name, const EnvironmentVariables& variables) {
  const auto from_environment = FindVariable(variables, "AWS_PROFILE");
  const std::string wanted = !name.empty() ? name : from_environment.value_or("default");
  if (auto profile = FindSharedProfile(wanted, variables)) return *std::move(profile);
  SharedProfile nothing = Empty(wanted, variables);
  if (name.empty() && !from_environment) return nothing;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("the profile '{}' is in neither '{}' nor '{}'; check its name{}", wanted,
                          nothing.credentials_file, nothing.config_file,
                          name.empty() ? " in AWS_PROFILE" : " in the option profile"));
}

}  // namespace bucketline
