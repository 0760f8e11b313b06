#include "bucketline/job/job_command.h"

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/job/script_hyperparameters.h"

namespace bucketline {
namespace {

// Of the store's client, which the script in the container has too.
constexpr const char* kInherited[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"};

void Append(std::vector<std::string>& words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
}

}  // namespace

JobCommand ChooseCommand(const JobSpec& spec, const std::vector<std::string>& given, bool script_arguments,
                         bool has_docker) {
  JobCommand command;
  if (!given.empty()) {
    command.words = given;
  } else if (!spec.entrypoint.empty()) {
    command.words = spec.entrypoint;
    Append(command.words, spec.arguments);
  } else if (spec.image.empty()) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "the job names nothing to run: give a command after --, ContainerEntrypoint, or TrainingImage");
  } else if (!has_docker) {
    throw Error(
        ErrorCode::kUnsupported,
        fmt::format("the job runs in the image {}, and there is no docker in PATH: install it, or give a "
                    "command after --",
                    spec.image));
  } else {
    return command;
  }
  if (script_arguments) Append(command.words, ScriptArguments(DecodeHyperparameters(spec.hyperparameters)));
  return command;
}

std::vector<std::string> DockerRun(const JobSpec& spec, const HostLayout& layout,
                                   const ContainerOptions& options) {
  std::vector<std::string> words = {"docker", "run",        "--rm",
                                    "--name", options.name, "--network",
                                    "host",   "--volume",   layout.root() + ":/opt/ml"};
  for (const std::string& host : HostNames(spec.hosts)) Append(words, {"--add-host", host + ":127.0.0.1"});
  if (options.gpus > 0) Append(words, {"--gpus", "all"});
  for (const auto& [name, value] : options.environment) Append(words, {"--env", name});
  for (const char* name : kInherited) Append(words, {"--env", name});
  words.push_back(spec.image);
  Append(words, spec.arguments.empty() ? std::vector<std::string>{"train"} : spec.arguments);
  return words;
}

std::vector<std::string> DockerRemove(const std::string& name) { return {"docker", "rm", "--force", name}; }

}  // namespace bucketline
