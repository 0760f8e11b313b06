#include "bucketline/dataset/channel_place.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr std::string_view kScheme = "channel:";
constexpr size_t kLongestName = 64;

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

// Characters that no variable of a shell can have stay as they are: so the toolkit does it.
std::string VariableOf(std::string_view name) { return "SM_CHANNEL_" + Upper(name); }

std::string ValueOf(const EnvironmentLookup& environment, const std::string& variable,
                    const std::string& otherwise = {}) {
  const char* value = environment(variable.c_str());
  return value == nullptr || *value == '\0' ? otherwise : value;
}

std::string Base(const EnvironmentLookup& environment) {
  return ValueOf(environment, "SAGEMAKER_BASE_DIR", "/opt/ml");
}

std::string ConfigFile(const EnvironmentLookup& environment, std::string_view name) {
  return fmt::format("{}/input/config/{}", Base(environment), name);
}

std::string WithoutLastSlash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::string FolderOf(std::string_view name, const EnvironmentLookup& environment) {
  const std::string usual = fmt::format("{}/input/data/{}", Base(environment), name);
  return WithoutLastSlash(ValueOf(environment, VariableOf(name), usual));
}

// nullopt when there is no such file.
std::optional<nlohmann::json> ReadConfig(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  nlohmann::json config = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!config.is_object()) {
    throw Error(ErrorCode::kInvalidArgument, "this should be a JSON object that describes the job", path);
  }
  return config;
}

std::string TextOf(const nlohmann::json& channel, const char* field) {
  const auto found = channel.find(field);
  return found != channel.end() && found->is_string() ? found->get<std::string>() : std::string();
}

size_t HostsOf(const EnvironmentLookup& environment) {
  const std::optional<nlohmann::json> config = ReadConfig(ConfigFile(environment, "resourceconfig.json"));
  if (!config) return 1;
  const auto hosts = config->find("hosts");
  return hosts != config->end() && hosts->is_array() ? std::max<size_t>(1, hosts->size()) : 1;
}

bool IsFolder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

std::vector<std::string> NamesOf(const nlohmann::json& config) {
  std::vector<std::string> names;
  for (const auto& [name, channel] : config.items()) names.push_back(name);
  return names;
}

}  // namespace

std::string ChannelPlace::Fifo(uint64_t number) const { return fmt::format("{}_{}", folder, number); }

std::optional<std::string> ChannelName(std::string_view uri) {
  if (!uri.starts_with(kScheme)) return std::nullopt;
  const std::string_view name = uri.substr(kScheme.size());
  if (name.empty() || name.size() > kLongestName || !std::all_of(name.begin(), name.end(), IsNameCharacter)) {
    throw Error(ErrorCode::kInvalidArgument,
                "a channel is named as in channel:train, by 1 to 64 letters, digits, '.', '-' and '_'",
                std::string(uri));
  }
  return std::string(name);
}

std::optional<ChannelPlace> FindChannel(std::string_view name, const EnvironmentLookup& environment) {
  const std::string path = ConfigFile(environment, "inputdataconfig.json");
  const std::optional<nlohmann::json> config = ReadConfig(path);
  ChannelPlace place{.name = std::string(name),
                     .folder = FolderOf(name, environment),
                     .state_folder = Base(environment) + "/pipe_state"};
  if (config) {
    const auto channel = config->find(place.name);
    if (channel == config->end() || !channel->is_object()) {
      throw Error(ErrorCode::kNotFound,
                  fmt::format("this job has no channel \"{}\"; {} has {}", name, path,
                              fmt::join(NamesOf(*config), ", ")),
                  fmt::format("{}{}", kScheme, name));
    }
    place.is_pipe = Upper(TextOf(*channel, "TrainingInputMode")) == "PIPE";
    place.sharded = TextOf(*channel, "S3DistributionType") == "ShardedByS3Key";
    place.hosts = HostsOf(environment);
    return place;
  }
  if (ValueOf(environment, VariableOf(name)).empty()) return std::nullopt;
  place.is_pipe = !IsFolder(place.folder) && std::filesystem::is_fifo(place.Fifo(0));
  return place;
}

std::optional<ChannelPlace> FindChannelOf(std::string_view folder, const EnvironmentLookup& environment) {
  const std::optional<nlohmann::json> config = ReadConfig(ConfigFile(environment, "inputdataconfig.json"));
  if (!config) return std::nullopt;
  const std::string wanted = WithoutLastSlash(std::string(folder));
  for (const std::string& name : NamesOf(*config)) {
    if (FolderOf(name, environment) == wanted) return FindChannel(name, environment);
  }
  return std::nullopt;
}

Error NoSuchChannel(std::string_view name, const EnvironmentLookup& environment) {
  return Error(
      ErrorCode::kNotFound,
      fmt::format("this is no training job: neither the variable {} nor the file {} is there; give a "
                  "default for runs outside a job, or set {} to a folder",
                  VariableOf(name), ConfigFile(environment, "inputdataconfig.json"), VariableOf(name)),
      fmt::format("{}{}", kScheme, name));
}

std::string FolderOfChannel(std::string_view uri, const EnvironmentLookup& environment) {
  const std::optional<std::string> name = ChannelName(uri);
  if (!name) return std::string(uri);
  const std::optional<ChannelPlace> place = FindChannel(*name, environment);
  if (!place) throw NoSuchChannel(*name, environment);
  if (place->is_pipe) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "this channel came as a Pipe, a stream without files, of which there is no dataset; read it with a "
        "StreamLoader, or ask for input mode FastFile",
        std::string(uri));
  }
  return place->folder;
}

}  // namespace bucketline
