// What is run for each host of a job.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bucketline/job/host_environment.h"
#include "bucketline/job/host_layout.h"
#include "bucketline/job/job_spec.h"
#include "bucketline/job/script_process.h"

namespace bucketline {

struct JobCommand {
  std::vector<std::string> words = {};  // to run here; empty: in a container of the job's image
  bool in_container() const { return words.empty(); }
};

// `given`, else ContainerEntrypoint with ContainerArguments, else the image where `has_docker`. With `script_arguments`
// the hyperparameters follow the words, as the training toolkit hands them to a script. Throws kInvalidArgument, or
// kUnsupported for an image without docker, naming what to give.
JobCommand ChooseCommand(const JobSpec& spec, const std::vector<std::string>& given, bool script_arguments,
                         bool has_docker);

struct ContainerOptions {
  std::string name;  // of the container
  size_t gpus = 0;   // 0: none are handed on
  VariableMap environment;
};

// `docker run IMAGE train` (or ContainerArguments): the host's folder is /opt/ml, the network is this machine's, where the names of
// the hosts are known. Values of
// variables are not among the words, where everybody could read them: they are handed on from docker's own environment.
std::vector<std::string> DockerRun(const JobSpec& spec, const HostLayout& layout,
                                   const ContainerOptions& options);

// Removes that container, running or not.
std::vector<std::string> DockerRemove(const std::string& name);

}  // namespace bucketline
