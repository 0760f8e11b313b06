#include "bucketline/job/job_rules.h"

#include <map>
#include <string>

#include <fmt/format.h>
#include <re2/re2.h>

#include "bucketline/base/error.h"
#include "bucketline/base/uri.h"
#include "bucketline/job/request_fields.h"

namespace bucketline {
namespace {

using nlohmann::json;

// https://, which the service takes too, names an endpoint: here that is --endpoint-url's to say.
void CheckUri(const json& object, const char* name, const std::string& path, std::vector<JobFault>& faults) {
  const std::string uri = TextOr(object, name, "");
  if (uri.empty()) return;  // its shape tells
  if (!uri.starts_with("s3://")) {
    faults.push_back({path, fmt::format("{} is no s3:// URI", uri)});
    return;
  }
  try {
    Uri::Parse(uri);
  } catch (const Error& error) {
    faults.push_back({path, error.message()});
  }
}

class ChannelRules {
 public:
  ChannelRules(const json& channel, const std::string& default_mode, std::string path,
               std::vector<JobFault>& faults)
      : channel_(channel),
        mode_(TextOr(channel, "InputMode", default_mode)),
        path_(std::move(path)),
        faults_(faults) {}

  void Check() {
    const json source = ObjectOf(channel_, "DataSource");
    if (source.size() != 1) {
      Fault("DataSource", "must name exactly one source");
    } else if (source.contains("FileSystemDataSource")) {
      CheckFileSystem();
    } else if (source.contains("DatasetSource")) {
      Fault("DataSource.DatasetSource",
            "is in a SageMaker hub, which cannot be reached from here; use S3DataSource");
    } else {
      CheckS3(ObjectOf(source, "S3DataSource"));
    }
    if (mode_ != "Pipe") {
      if (TextOr(channel_, "CompressionType", "None") == "Gzip") {
        Fault("CompressionType", OnlyInPipe("Gzip"));
      }
      if (TextOr(channel_, "RecordWrapperType", "None") == "RecordIO") {
        Fault("RecordWrapperType", OnlyInPipe("RecordIO"));
      }
    }
  }

 private:
  void Fault(std::string_view field, std::string what) {
    faults_.push_back({FieldPath(path_, field), std::move(what)});
  }

  std::string OnlyInPipe(std::string_view what) const {
    return fmt::format("{} needs InputMode Pipe, not {}", what, mode_);
  }

  void CheckFileSystem() {
    if (mode_ != "File") {
      Fault("InputMode", fmt::format("a FileSystemDataSource needs InputMode File, not {}", mode_));
    }
    Fault("DataSource.FileSystemDataSource", "cannot be mounted on this machine; use S3DataSource");
  }

  void CheckS3(const json& source) {
    const std::string type = TextOr(source, "S3DataType", "");
    if (type == "AugmentedManifestFile") {
      if (mode_ != "Pipe") Fault("DataSource.S3DataSource.S3DataType", OnlyInPipe(type));
      if (ListOf(source, "AttributeNames").empty()) {
        Fault("DataSource.S3DataSource.AttributeNames", "an AugmentedManifestFile needs at least one");
      }
    } else if (!ListOf(source, "AttributeNames").empty()) {
      Fault("DataSource.S3DataSource.AttributeNames", "belong to an AugmentedManifestFile only");
    }
    if (mode_ == "FastFile" && type != "S3Prefix") {
      Fault("DataSource.S3DataSource.S3DataType",
            fmt::format("InputMode FastFile needs S3Prefix, not {}", type));
    }
    if (type == "Converse") {
      Fault("DataSource.S3DataSource.S3DataType",
            "Converse is for model customization, which is not done here");
    }
    if (!ListOf(source, "InstanceGroupNames").empty()) {
      Fault("DataSource.S3DataSource.InstanceGroupNames", "all hosts are alike here; leave it out");
    }
    CheckUri(source, "S3Uri", FieldPath(path_, "DataSource.S3DataSource.S3Uri"), faults_);
  }

  const json& channel_;
  const std::string mode_;
  const std::string path_;
  std::vector<JobFault>& faults_;
};

// Channel `a` in mode Pipe lies at a_0, a_1, ...; another one may have that very name.
void CheckNames(const json& channels, const std::string& default_mode, std::vector<JobFault>& faults) {
  std::map<std::string, size_t> names;
  std::map<std::string, size_t> pipes;
  for (size_t i = 0; i < channels.size(); ++i) {
    const std::string name = TextOr(channels[i], "ChannelName", "");
    if (name == "." || name == "..") {
      faults.push_back({fmt::format("InputDataConfig[{}].ChannelName", i), "is no name of a folder"});
    }
    const auto [first, is_new] = names.emplace(name, i);
    if (!is_new) {
      faults.push_back({fmt::format("InputDataConfig[{}].ChannelName", i),
                        fmt::format("\"{}\" is also InputDataConfig[{}]", name, first->second)});
    }
    if (TextOr(channels[i], "InputMode", default_mode) == "Pipe") pipes.emplace(name, i);
  }
  static const re2::RE2 epoch_name("(.+)_(0|[1-9][0-9]*)");
  for (const auto& [name, index] : names) {
    std::string stem;
    if (!re2::RE2::FullMatch(name, epoch_name, &stem)) continue;
    if (const auto pipe = pipes.find(stem); pipe != pipes.end()) {
      faults.push_back(
          {fmt::format("InputDataConfig[{}].ChannelName", index),
           fmt::format("\"{}\" is the name of an epoch's FIFO of InputDataConfig[{}] (\"{}\", Pipe)", name,
                       pipe->second, stem)});
    }
  }
}

// A folder of its own below /opt/ml: what is there is removed before the job and uploaded during it.
void CheckLocalPath(const std::string& path, std::vector<JobFault>& faults) {
  static const re2::RE2 own_folder("/opt/ml((?:/[^/]+)+)/*");
  static const re2::RE2 taken("/(?:input|output|model|code)(?:/.*)?|.*/\\.\\.?(?:/.*)?");
  std::string below;
  if (!re2::RE2::FullMatch(path, own_folder, &below) || re2::RE2::FullMatch(below, taken)) {
    faults.push_back({"CheckpointConfig.LocalPath",
                      "must name a folder of its own below /opt/ml, which the job's root stands for"});
  }
}

void CheckResources(const json& request, std::vector<JobFault>& faults) {
  const json resources = ObjectOf(request, "ResourceConfig");
  if (!ListOf(resources, "InstanceGroups").empty()) {
    faults.push_back(
        {"ResourceConfig.InstanceGroups", "all hosts are alike here; give InstanceCount instead"});
  } else if (NumberOr(resources, "InstanceCount", 1) < 1) {
    faults.push_back({"ResourceConfig.InstanceCount", "a job needs at least one host"});
  }
}

void CheckTimes(const json& request, std::vector<JobFault>& faults) {
  const json stopping = ObjectOf(request, "StoppingCondition");
  const bool spot = IsTrue(request, "EnableManagedSpotTraining");
  const bool has_wait = stopping.contains("MaxWaitTimeInSeconds");
  const std::string path = "StoppingCondition.MaxWaitTimeInSeconds";
  if (spot && !has_wait) faults.push_back({path, "EnableManagedSpotTraining needs it"});
  if (!spot && has_wait) faults.push_back({path, "needs EnableManagedSpotTraining"});
  if (has_wait &&
      NumberOr(stopping, "MaxWaitTimeInSeconds", 0) < NumberOr(stopping, "MaxRuntimeInSeconds", 86400)) {
    faults.push_back({path, "must be at least MaxRuntimeInSeconds"});
  }
}

}  // namespace

void CheckJobRules(const json& request, std::vector<JobFault>& faults) {
  const json algorithm = ObjectOf(request, "AlgorithmSpecification");
  const std::string default_mode = TextOr(algorithm, "TrainingInputMode", "File");
  const json channels = ListOf(request, "InputDataConfig");
  for (size_t i = 0; i < channels.size(); ++i) {
    ChannelRules(channels[i], default_mode, fmt::format("InputDataConfig[{}]", i), faults).Check();
  }
  CheckNames(channels, default_mode, faults);
  CheckUri(ObjectOf(request, "OutputDataConfig"), "S3OutputPath", "OutputDataConfig.S3OutputPath", faults);
  const json checkpoints = ObjectOf(request, "CheckpointConfig");
  CheckUri(checkpoints, "S3Uri", "CheckpointConfig.S3Uri", faults);
  CheckLocalPath(TextOr(checkpoints, "LocalPath", "/opt/ml/checkpoints"), faults);
  CheckResources(request, faults);
  CheckTimes(request, faults);
}

}  // namespace bucketline
