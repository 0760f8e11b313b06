// JobSpec: a training job as a CreateTrainingJob request describes it.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/channel/channel.h"
#include "bucketline/job/shape_check.h"

namespace bucketline {

// One entry of InputDataConfig.
struct JobChannel {
  ChannelSpec channel;
  std::string content_type = {};  // "" when unset; handed on as it is
};

enum class ModelCompression { kGzip, kNone };

struct CheckpointSpec {
  std::string uri;         // s3://bucket/prefix
  std::string local_path;  // as the job names it, "/opt/ml/checkpoints" when unset
};

struct JobSpec {
  std::string name;
  std::vector<JobChannel> channels = {};  // in the order of the request
  std::map<std::string, std::string> hyperparameters = {};
  std::map<std::string, std::string> environment = {};
  std::string image = {};                    // TrainingImage
  std::vector<std::string> entrypoint = {};  // ContainerEntrypoint
  std::vector<std::string> arguments = {};   // ContainerArguments
  std::string output_uri = {};               // OutputDataConfig.S3OutputPath
  ModelCompression compression = ModelCompression::kGzip;
  std::optional<CheckpointSpec> checkpoints = {};
  size_t hosts = 1;                     // ResourceConfig.InstanceCount
  std::string instance_type = "local";  // of ResourceConfig, only told to the script
  std::chrono::seconds max_runtime = std::chrono::hours(24);
};

struct JobReading {
  JobSpec spec;                             // whole only when there are no faults
  std::vector<JobFault> faults;             // all that is wrong, each naming its field
  std::vector<std::string> without_effect;  // fields that AWS knows and that mean nothing on one machine
};

// Reads the JSON of a request as boto3's create_training_job takes it. Never throws for what it finds wrong.
//
// RoleArn and ResourceConfig, which AWS requires, may be left out.
JobReading ReadJob(std::string_view text);

// The same for those who cannot go on: throws kInvalidArgument with every fault in its message.
JobSpec ParseJob(std::string_view text);

}  // namespace bucketline
