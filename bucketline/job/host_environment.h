// The environment of a training script: the platform's variables and those of SageMaker's training toolkit.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "bucketline/job/host_layout.h"
#include "bucketline/job/job_spec.h"

namespace bucketline {

using VariableMap = std::map<std::string, std::string>;

// Where the script finds the store that this job reads; empty fields are left to the environment.
struct StoreAddress {
  std::string endpoint_url;
  std::string region;
  std::string profile;
};

struct Processors {
  size_t cpus = 1;
  size_t gpus = 0;
};

Processors ProcessorsOfThisMachine();

// What is set for the script of one host, beside what it inherits: TRAINING_JOB_NAME, TRAINING_JOB_ARN, the job's
// Environment (which wins), SAGEMAKER_BASE_DIR, the store's address, and the SM_* of both dialects: the toolkit's, and
// that of the SDK's version 3 where it has names of its own.
VariableMap HostEnvironment(const JobSpec& spec, size_t host, const HostLayout& layout,
                            const StoreAddress& store, const Processors& processors);

}  // namespace bucketline
