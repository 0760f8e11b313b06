// RunJob: a training job from its description to its artefacts.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/base/clock.h"
#include "bucketline/base/log.h"
#include "bucketline/job/host_environment.h"
#include "bucketline/job/job_report.h"
#include "bucketline/job/job_spec.h"
#include "bucketline/job/script_process.h"
#include "bucketline/runtime/runtime.h"

namespace bucketline {

struct JobOptions {
  std::string root = "/opt/ml";           // with several hosts each has <root>/algo-k
  bool fresh = false;                     // removes what an earlier job left there
  std::vector<std::string> command = {};  // instead of the job's own
  bool script_arguments = false;          // hyperparameters follow the command
  Duration grace = std::chrono::seconds(120);
  Duration checkpoint_interval = std::chrono::seconds(1);
  uint64_t channel_memory = uint64_t{1} << 30;  // bytes
  StoreAddress store = {};                      // what the script is told
  ScriptLine on_line = [](std::string_view, std::string_view) {};
  std::function<void(JobPhase phase)> on_phase = [](JobPhase) {};
  LogSink log = LogToStderr();
};

// Runs the job. What goes wrong in it is the report's: kFailed with its reason. Throws before anything has begun: as
// ChooseCommand and MakeLayout do.
//
// `stop` ends it as StopTrainingJob would: the scripts get SIGTERM, the grace, SIGKILL, and what they saved is uploaded.
// `hurry` ends it at once: SIGKILL, and nothing more is uploaded. In every case nothing that was started is left: no
// process, FIFO or mount; files stay.
JobReport RunJob(Runtime& runtime, const JobSpec& spec, const JobOptions& options,
                 const std::stop_token& stop, const std::stop_token& hurry);

}  // namespace bucketline
