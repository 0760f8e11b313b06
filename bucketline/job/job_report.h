// JobReport: how a job went.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bucketline/base/clock.h"

namespace bucketline {

// The secondary statuses of a training job that happen on one machine, in this order.
enum class JobPhase { kStarting, kDownloading, kTraining, kUploading, kCompleted };

enum class JobStatus { kCompleted, kFailed, kStopped, kMaxRuntimeExceeded };

// "Starting", "MaxRuntimeExceeded", ...: as the service writes them.
const char* JobPhaseName(JobPhase phase);
const char* JobStatusName(JobStatus status);

struct JobPhaseTime {
  JobPhase phase = JobPhase::kStarting;
  WallTime begin{};
  double seconds = 0;
};

struct JobReport {
  JobStatus status = JobStatus::kCompleted;
  std::string failure_reason = {};        // of kFailed
  std::vector<JobPhaseTime> phases = {};  // those that were entered
  std::vector<int> exit_codes = {};  // of each host, 128 + n when signal n ended it; empty: none was started
  std::vector<std::string> artifacts = {};  // URIs of what was uploaded
  std::vector<std::string> skipped = {};    // paths that no archive can hold
  uint64_t channel_bytes = 0;               // given to the hosts by all channels
  uint64_t checkpoints_uploaded = 0;        // files
};

nlohmann::ordered_json ReportJson(const std::string& job_name, const JobReport& report);

}  // namespace bucketline
