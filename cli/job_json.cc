#include "cli/job_json.h"

#include "bucketline/job/config_files.h"
#include "bucketline/job/request_shape.h"

namespace bucketline::cli {
namespace {

using nlohmann::ordered_json;

const char* DataName(ChannelData data) {
  switch (data) {
    case ChannelData::kS3Prefix:
      return "S3Prefix";
    case ChannelData::kManifestFile:
      return "ManifestFile";
    case ChannelData::kAugmentedManifestFile:
      return "AugmentedManifestFile";
  }
  return "";
}

ordered_json ChannelJson(const JobChannel& job_channel) {
  const ChannelSpec& channel = job_channel.channel;
  ordered_json object = {{"name", channel.name},
                         {"mode", ChannelModeName(channel.mode)},
                         {"data", DataName(channel.data)},
                         {"uri", channel.uri},
                         {"sharded", channel.sharded},
                         {"gzip", channel.compression == ChannelCompression::kGzip},
                         {"recordio", channel.wrapper == ChannelWrapper::kRecordIo}};
  if (!channel.attributes.empty()) object["attributes"] = channel.attributes;
  if (channel.shuffle_seed) object["shuffle_seed"] = *channel.shuffle_seed;
  if (!job_channel.content_type.empty()) object["content_type"] = job_channel.content_type;
  return object;
}

const char* KindName(ShapeKind kind) {
  switch (kind) {
    case ShapeKind::kStructure:
      return "structure";
    case ShapeKind::kList:
      return "list";
    case ShapeKind::kMap:
      return "map";
    case ShapeKind::kString:
      return "string";
    case ShapeKind::kInteger:
      return "integer";
    case ShapeKind::kLong:
      return "long";
    case ShapeKind::kBoolean:
      return "boolean";
  }
  return "";
}

ordered_json MembersJson(const Shape& shape) {
  ordered_json members = ordered_json::object();
  for (const ShapeMember& member : shape.members) {
    members[std::string(member.name)] = {{"shape", member.shape}, {"required", member.required}};
  }
  return members;
}

}  // namespace

ordered_json ReadingJson(const JobReading& reading) {
  ordered_json faults = ordered_json::array();
  for (const JobFault& fault : reading.faults) faults.push_back({{"path", fault.path}, {"what", fault.what}});
  return {{"valid", reading.faults.empty()}, {"faults", faults}, {"without_effect", reading.without_effect}};
}

ordered_json DescriptionJson(const JobReading& reading) {
  const JobSpec& spec = reading.spec;
  ordered_json channels = ordered_json::array();
  for (const JobChannel& channel : spec.channels) channels.push_back(ChannelJson(channel));
  ordered_json object = {{"job", spec.name},
                         {"hosts", spec.hosts},
                         {"image", spec.image},
                         {"entrypoint", spec.entrypoint},
                         {"arguments", spec.arguments},
                         {"hyperparameters", spec.hyperparameters},
                         {"environment", spec.environment},
                         {"channels", channels},
                         {"output", spec.output_uri},
                         {"model_compression", spec.compression == ModelCompression::kGzip ? "GZIP" : "NONE"},
                         {"max_runtime_seconds", spec.max_runtime.count()},
                         {"without_effect", reading.without_effect}};
  if (spec.checkpoints) {
    object["checkpoints"] = {{"uri", spec.checkpoints->uri}, {"local_path", spec.checkpoints->local_path}};
  }
  return object;
}

ordered_json LimitsJson() {
  ordered_json all = ordered_json::object();
  for (const Shape& shape : RequestShapes()) {
    ordered_json object = {{"type", KindName(shape.kind)}};
    if (shape.min) object["min"] = *shape.min;
    if (shape.max) object["max"] = *shape.max;
    if (!shape.pattern.empty()) object["pattern"] = shape.pattern;
    if (!shape.values.empty()) object["enum"] = shape.values;
    if (!shape.members.empty()) object["members"] = MembersJson(shape);
    if (!shape.key.empty()) object["key"] = shape.key;
    if (!shape.value.empty()) object["value"] = shape.value;
    all[std::string(shape.name)] = object;
  }
  return all;
}

}  // namespace bucketline::cli
