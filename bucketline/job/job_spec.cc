#include "bucketline/job/job_spec.h"

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/job/job_rules.h"
#include "bucketline/job/request_fields.h"

namespace bucketline {
namespace {

using nlohmann::json;

ChannelMode ModeOf(const std::string& name) {
  return name == "Pipe"       ? ChannelMode::kPipe
         : name == "FastFile" ? ChannelMode::kFastFile
                              : ChannelMode::kFile;
}

ChannelData DataOf(const std::string& name) {
  return name == "ManifestFile"            ? ChannelData::kManifestFile
         : name == "AugmentedManifestFile" ? ChannelData::kAugmentedManifestFile
                                           : ChannelData::kS3Prefix;
}

std::vector<std::string> TextsOf(const json& object, const char* name) { return ListOf(object, name); }

JobChannel ChannelOf(const json& entry, const std::string& default_mode) {
  const json source = ObjectOf(ObjectOf(entry, "DataSource"), "S3DataSource");
  JobChannel made;
  ChannelSpec& channel = made.channel;
  channel.name = TextOr(entry, "ChannelName", "");
  channel.uri = TextOr(source, "S3Uri", "");
  channel.mode = ModeOf(TextOr(entry, "InputMode", default_mode));
  channel.data = DataOf(TextOr(source, "S3DataType", ""));
  channel.attributes = TextsOf(source, "AttributeNames");
  channel.compression = TextOr(entry, "CompressionType", "None") == "Gzip" ? ChannelCompression::kGzip
                                                                           : ChannelCompression::kNone;
  channel.wrapper = TextOr(entry, "RecordWrapperType", "None") == "RecordIO" ? ChannelWrapper::kRecordIo
                                                                             : ChannelWrapper::kNone;
  channel.sharded = TextOr(source, "S3DataDistributionType", "") == "ShardedByS3Key";
  const json shuffle = ObjectOf(entry, "ShuffleConfig");
  if (!shuffle.empty()) channel.shuffle_seed = NumberOr(shuffle, "Seed", 0);
  made.content_type = TextOr(entry, "ContentType", "");
  return made;
}

// Of a request without faults.
JobSpec SpecOf(const json& request) {
  JobSpec spec;
  const json algorithm = ObjectOf(request, "AlgorithmSpecification");
  const std::string default_mode = TextOr(algorithm, "TrainingInputMode", "File");
  spec.name = TextOr(request, "TrainingJobName", "");
  for (const json& entry : ListOf(request, "InputDataConfig")) {
    spec.channels.push_back(ChannelOf(entry, default_mode));
  }
  spec.hyperparameters = ObjectOf(request, "HyperParameters").get<std::map<std::string, std::string>>();
  spec.environment = ObjectOf(request, "Environment").get<std::map<std::string, std::string>>();
  spec.image = TextOr(algorithm, "TrainingImage", "");
  spec.entrypoint = TextsOf(algorithm, "ContainerEntrypoint");
  spec.arguments = TextsOf(algorithm, "ContainerArguments");
  const json output = ObjectOf(request, "OutputDataConfig");
  spec.output_uri = TextOr(output, "S3OutputPath", "");
  if (TextOr(output, "CompressionType", "") == "NONE") spec.compression = ModelCompression::kNone;
  const json checkpoints = ObjectOf(request, "CheckpointConfig");
  if (!checkpoints.empty()) {
    spec.checkpoints = {.uri = TextOr(checkpoints, "S3Uri", ""),
                        .local_path = TextOr(checkpoints, "LocalPath", "/opt/ml/checkpoints")};
  }
  const json resources = ObjectOf(request, "ResourceConfig");
  spec.hosts = static_cast<size_t>(NumberOr(resources, "InstanceCount", 1));
  spec.instance_type = TextOr(resources, "InstanceType", spec.instance_type);
  spec.max_runtime = std::chrono::seconds(
      NumberOr(ObjectOf(request, "StoppingCondition"), "MaxRuntimeInSeconds", spec.max_runtime.count()));
  return spec;
}

}  // namespace

JobReading ReadJob(std::string_view text) {
  JobReading reading;
  json request;
  try {
    request = json::parse(text);
  } catch (const json::exception& exception) {
    reading.faults.push_back({"", fmt::format("the job description is no JSON: {}", exception.what())});
    return reading;
  }
  ShapeReport report;
  CheckShape(request, RequestShapes().front(), "", report);
  reading.faults = std::move(report.faults);
  reading.without_effect = std::move(report.without_effect);
  CheckJobRules(request, reading.faults);
  if (reading.faults.empty()) reading.spec = SpecOf(request);
  return reading;
}

JobSpec ParseJob(std::string_view text) {
  JobReading reading = ReadJob(text);
  if (reading.faults.empty()) return std::move(reading.spec);
  std::string all;
  for (const JobFault& fault : reading.faults) {
    if (!all.empty()) all += "; ";
    all += fault.ToString();
  }
  throw Error(ErrorCode::kInvalidArgument, std::move(all));
}

}  // namespace bucketline
