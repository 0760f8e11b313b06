#include "bucketline/job/host_environment.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/job/config_files.h"
#include "bucketline/job/request_fields.h"
#include "bucketline/job/script_hyperparameters.h"

namespace bucketline {
namespace {

using nlohmann::json;

constexpr int kMasterPort = 7777;                    // of the SDK's version 3
constexpr const char* kMasterAddress = "127.0.0.1";  // algo-1, whose name nothing here resolves
constexpr int kLogLevel = 20;                        // Python's INFO

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// Text as it is, nothing as "", else compact ASCII JSON with sorted keys: the toolkit's encoding.
std::string Encoded(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "";
  return value.dump(-1, ' ', true);
}

class Variables {
 public:
  Variables(const JobSpec& spec, size_t host, const HostLayout& layout, const Processors& processors)
      : spec_(spec),
        host_(host),
        layout_(layout),
        processors_(processors),
        hyperparameters_(DecodeHyperparameters(spec.hyperparameters)),
        program_(TextOr(hyperparameters_.toolkit, "sagemaker_program", "")),
        module_folder_(TextOr(hyperparameters_.toolkit, "sagemaker_submit_directory", layout.code())),
        log_level_(NumberOr(hyperparameters_.toolkit, "sagemaker_container_log_level", kLogLevel)) {}

  VariableMap Make() {
    AddHosts();
    AddFolders();
    AddHyperparameters();
    AddMachine();
    AddTrainingEnvironment();
    return std::move(map_);
  }

 private:
  void Set(const std::string& name, const json& value) { map_["SM_" + name] = Encoded(value); }

  void AddHosts() {
    const json resources = ResourceConfig(spec_, host_);
    Set("RESOURCE_CONFIG", resources);
    Set("HOSTS", resources["hosts"]);
    Set("HOST_COUNT", spec_.hosts);
    Set("CURRENT_HOST", resources["current_host"]);
    Set("CURRENT_HOST_RANK", host_);
    Set("CURRENT_INSTANCE_TYPE", spec_.instance_type);
    Set("CURRENT_INSTANCE_GROUP", kInstanceGroup);
    Set("CURRENT_INSTANCE_GROUP_HOSTS", resources["hosts"]);
    Set("INSTANCE_GROUPS", json::array({kInstanceGroup}));
    Set("INSTANCE_GROUPS_DICT", {{kInstanceGroup, resources["instance_groups"][0]}});
    Set("DISTRIBUTION_INSTANCE_GROUPS", json::array());
    Set("IS_HETERO", false);
    Set("NETWORK_INTERFACE_NAME", kNetworkInterface);
    Set("MASTER_ADDR", kMasterAddress);
    Set("MASTER_PORT", kMasterPort);
  }

  void AddFolders() {
    Set("INPUT_DIR", layout_.input());
    Set("INPUT_CONFIG_DIR", layout_.config());
    Set("INPUT_DATA_DIR", layout_.data());
    Set("INPUT_DATA_CONFIG", json(InputDataConfig(spec_)));
    Set("MODEL_DIR", layout_.model());
    Set("OUTPUT_DIR", layout_.output());
    Set("OUTPUT_DATA_DIR", layout_.output_data());
    Set("OUTPUT_INTERMEDIATE_DIR", layout_.output_intermediate());
    Set("OUTPUT_FAILURE", layout_.failure());
    Set("SOURCE_DIR", layout_.code());
    std::vector<std::string> names;
    for (const auto& [channel, content_type] : spec_.channels) {
      names.push_back(channel.name);
      channels_[channel.name] = layout_.channel(channel.name);
      Set("CHANNEL_" + Upper(channel.name), channels_[channel.name]);
    }
    std::sort(names.begin(), names.end());
    Set("CHANNELS", names);
  }

  void AddHyperparameters() {
    Set("HPS", hyperparameters_.user);
    Set("FRAMEWORK_PARAMS", hyperparameters_.framework);
    Set("USER_ARGS", ScriptArguments(hyperparameters_));
    for (const auto& [name, value] : hyperparameters_.user.items()) {
      Set("HP_" + Upper(name), value);
      std::string mapped = Upper(name);
      std::replace(mapped.begin(), mapped.end(), '-', '_');
      Set("HP_" + mapped, value);
    }
    Set("USER_ENTRY_POINT", program_);
    Set("ENTRY_SCRIPT", program_);
    Set("MODULE_NAME", ModuleName());
    Set("MODULE_DIR", module_folder_);
    Set("FRAMEWORK_MODULE", nullptr);
  }

  void AddMachine() {
    Set("LOG_LEVEL", log_level_);
    Set("NUM_CPUS", processors_.cpus);
    Set("NUM_GPUS", processors_.gpus);
    Set("NUM_NEURONS", 0);
  }

  void AddTrainingEnvironment() {
    const json resources = ResourceConfig(spec_, host_);
    Set("TRAINING_ENV", {{"additional_framework_parameters", hyperparameters_.framework},
                         {"channel_input_dirs", channels_},
                         {"current_host", HostName(host_)},
                         {"current_instance_group", kInstanceGroup},
                         {"current_instance_group_hosts", resources["hosts"]},
                         {"current_instance_type", spec_.instance_type},
                         {"distribution_hosts", json::array()},
                         {"distribution_instance_groups", json::array()},
                         {"framework_module", nullptr},
                         {"hosts", resources["hosts"]},
                         {"hyperparameters", hyperparameters_.user},
                         {"input_config_dir", layout_.config()},
                         {"input_data_config", InputDataConfig(spec_)},
                         {"input_dir", layout_.input()},
                         {"instance_groups", json::array({kInstanceGroup})},
                         {"instance_groups_dict", {{kInstanceGroup, resources["instance_groups"][0]}}},
                         {"is_hetero", false},
                         {"is_master", host_ == 0},
                         {"is_smddpmprun_installed", false},
                         {"is_smddprun_installed", false},
                         {"job_name", spec_.name},
                         {"log_level", log_level_},
                         {"master_hostname", HostName(0)},
                         {"model_dir", layout_.model()},
                         {"module_dir", module_folder_},
                         {"module_name", ModuleName()},
                         {"network_interface_name", kNetworkInterface},
                         {"num_cpus", processors_.cpus},
                         {"num_gpus", processors_.gpus},
                         {"num_neurons", 0},
                         {"output_data_dir", layout_.output_data()},
                         {"output_dir", layout_.output()},
                         {"output_intermediate_dir", layout_.output_intermediate()},
                         {"resource_config", resources},
                         {"user_entry_point", program_}});
  }

  std::string ModuleName() const {
    return program_.ends_with(".py") ? program_.substr(0, program_.size() - 3) : program_;
  }

  const JobSpec& spec_;
  const size_t host_;
  const HostLayout& layout_;
  const Processors processors_;
  const ScriptHyperparameters hyperparameters_;
  const std::string program_;
  const std::string module_folder_;
  const int64_t log_level_;
  json channels_ = json::object();
  VariableMap map_;
};

}  // namespace

Processors ProcessorsOfThisMachine() {
  Processors found{.cpus = std::max(1u, std::thread::hardware_concurrency())};
  for (std::error_code failure; std::filesystem::exists(fmt::format("/dev/nvidia{}", found.gpus), failure);) {
    ++found.gpus;
  }
  return found;
}

VariableMap HostEnvironment(const JobSpec& spec, size_t host, const HostLayout& layout,
                            const StoreAddress& store, const Processors& processors) {
  VariableMap map = Variables(spec, host, layout, processors).Make();
  map["TRAINING_JOB_NAME"] = spec.name;
  map["TRAINING_JOB_ARN"] = fmt::format("arn:aws:sagemaker:{}:000000000000:training-job/{}",
                                        store.region.empty() ? "us-east-1" : store.region, spec.name);
  map["SAGEMAKER_BASE_DIR"] = layout.root();
  if (!store.endpoint_url.empty()) {
    map["S3_ENDPOINT_URL"] = store.endpoint_url;
    map["AWS_ENDPOINT_URL_S3"] = store.endpoint_url;
  }
  if (!store.region.empty()) map["AWS_REGION"] = store.region;
  if (!store.profile.empty()) map["AWS_PROFILE"] = store.profile;
  for (const auto& [name, value] : spec.environment) map[name] = value;
  return map;
}

}  // namespace bucketline
