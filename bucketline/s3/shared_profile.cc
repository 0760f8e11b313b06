#include "bucketline/s3/shared_profile.h"

#include <fmt/format.h>

#include "bucketline/s3/ini_file.h"

namespace bucketline {
namespace {

std::string PathOf(const EnvironmentVariables& variables, const char* variable, const char* below_home) {
  const auto home = FindVariable(variables, "HOME");
  if (auto path = FindVariable(variables, variable)) {
    if (home && path->starts_with("~/")) return *home + path->substr(1);
    return *path;
  }
  return home ? *home + below_home : std::string();
}

IniSections Read(const std::string& path) { return path.empty() ? IniSections() : ReadIniFile(path); }

void AddMissing(const std::map<std::string, std::string>& from, std::map<std::string, std::string>& to) {
  for (const auto& [key, value] : from) {
    if (!value.empty()) to.try_emplace(key, value);
  }
}

}  // namespace

std::optional<std::string> SharedProfile::Find(std::string_view key) const {
  const auto found = values.find(std::string(key));
  if (found == values.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

std::optional<std::string> FindVariable(const EnvironmentVariables& variables, const char* name) {
  auto value = variables(name);
  if (value && value->empty()) return std::nullopt;
  return value;
}

SharedProfile LoadSharedProfile(const std::string& name, const EnvironmentVariables& variables) {
  SharedProfile profile;
  const auto from_environment = FindVariable(variables, "AWS_PROFILE");
  const bool asked_for = !name.empty() || from_environment.has_value();
  profile.name = !name.empty() ? name : from_environment.value_or("default");
  profile.credentials_file = PathOf(variables, "AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials");
  profile.config_file = PathOf(variables, "AWS_CONFIG_FILE", "/.aws/config");
  const IniSections credentials = Read(profile.credentials_file);
  const IniSections config = Read(profile.config_file);

  bool found = false;
  const auto add = [&](const IniSections& file, const std::string& section) {
    const auto it = file.find(section);
    if (it == file.end()) return;
    found = true;
    AddMissing(it->second, profile.values);
  };
  add(credentials, profile.name);
  add(config, "profile " + profile.name);
  if (profile.name == "default") add(config, "default");
  if (!found && asked_for) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("the profile '{}' is in neither '{}' nor '{}'; check its name{}", profile.name,
                            profile.credentials_file, profile.config_file,
                            name.empty() ? " in AWS_PROFILE" : " (--profile)"));
  }
  if (const auto services = profile.Find("services")) {
    if (const auto it = config.find("services " + *services); it != config.end())
      profile.services = it->second;
  }
  return profile;
}

}  // namespace bucketline
