#include "bucketline/job/config_files.h"

#include <cerrno>
#include <fstream>

#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

void WriteJson(const std::string& path, const nlohmann::ordered_json& document) {
  std::ofstream file(path, std::ios::binary);
  file << document.dump();
  file.close();
  if (!file) throw PosixError(errno, "write this file", path);
}

}  // namespace

const char* ChannelModeName(ChannelMode mode) {
  switch (mode) {
    case ChannelMode::kFile:
      return "File";
    case ChannelMode::kFastFile:
      return "FastFile";
    case ChannelMode::kPipe:
      return "Pipe";
  }
  return "";
}

nlohmann::ordered_json HyperparametersConfig(const JobSpec& spec) {
  nlohmann::ordered_json document = nlohmann::ordered_json::object();
  for (const auto& [name, value] : spec.hyperparameters) document[name] = value;
  return document;
}

nlohmann::ordered_json InputDataConfig(const JobSpec& spec) {
  nlohmann::ordered_json document = nlohmann::ordered_json::object();
  for (const auto& [channel, content_type] : spec.channels) {
    nlohmann::ordered_json& entry = document[channel.name];
    if (!content_type.empty()) entry["ContentType"] = content_type;
    entry["TrainingInputMode"] = ChannelModeName(channel.mode);
    entry["S3DistributionType"] = channel.sharded ? "ShardedByS3Key" : "FullyReplicated";
    entry["RecordWrapperType"] = channel.wrapper == ChannelWrapper::kRecordIo ? "RecordIO" : "None";
  }
  return document;
}

nlohmann::ordered_json ResourceConfig(const JobSpec& spec, size_t host) {
  const std::vector<std::string> hosts = HostNames(spec.hosts);
  const nlohmann::ordered_json group = {
      {"instance_group_name", kInstanceGroup}, {"instance_type", spec.instance_type}, {"hosts", hosts}};
  return {{"current_host", HostName(host)},
          {"current_instance_type", spec.instance_type},
          {"current_group_name", kInstanceGroup},
          {"hosts", hosts},
          {"instance_groups", nlohmann::ordered_json::array({group})},
          {"network_interface_name", kNetworkInterface},
          {"topology", nullptr}};
}

void WriteConfigFiles(const JobSpec& spec, size_t host, const HostLayout& layout) {
  WriteJson(layout.config() + "/hyperparameters.json", HyperparametersConfig(spec));
  WriteJson(layout.config() + "/inputdataconfig.json", InputDataConfig(spec));
  WriteJson(layout.config() + "/resourceconfig.json", ResourceConfig(spec, host));
}

}  // namespace bucketline
