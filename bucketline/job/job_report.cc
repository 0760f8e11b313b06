#include "bucketline/job/job_report.h"

#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace bucketline {
namespace {

std::string TimeText(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time - seconds).count();
  const std::time_t whole = seconds.time_since_epoch().count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(whole), milliseconds);
}

}  // namespace

const char* JobPhaseName(JobPhase phase) {
  switch (phase) {
    case JobPhase::kStarting:
      return "Starting";
    case JobPhase::kDownloading:
      return "Downloading";
    case JobPhase::kTraining:
      return "Training";
    case JobPhase::kUploading:
      return "Uploading";
    case JobPhase::kCompleted:
      return "Completed";
  }
  return "";
}

const char* JobStatusName(JobStatus status) {
  switch (status) {
    case JobStatus::kCompleted:
      return "Completed";
    case JobStatus::kFailed:
      return "Failed";
    case JobStatus::kStopped:
      return "Stopped";
    case JobStatus::kMaxRuntimeExceeded:
      return "MaxRuntimeExceeded";
  }
  return "";
}

nlohmann::ordered_json ReportJson(const std::string& job_name, const JobReport& report) {
  nlohmann::ordered_json phases = nlohmann::ordered_json::array();
  for (const JobPhaseTime& phase : report.phases) {
    phases.push_back(
        {{"phase", JobPhaseName(phase.phase)}, {"begin", TimeText(phase.begin)}, {"seconds", phase.seconds}});
  }
  return {{"job", job_name},
          {"status", JobStatusName(report.status)},
          {"failure_reason", report.failure_reason},
          {"phases", phases},
          {"exit_codes", report.exit_codes},
          {"artifacts", report.artifacts},
          {"skipped", report.skipped},
          {"channel_bytes", report.channel_bytes},
          {"checkpoints_uploaded", report.checkpoints_uploaded}};
}

}  // namespace bucketline
