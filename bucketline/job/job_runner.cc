#include "bucketline/job/job_runner.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "bucketline/base/result.h"
#include "bucketline/job/artifact_upload.h"
#include "bucketline/job/checkpoint_sync.h"
#include "bucketline/job/config_files.h"
#include "bucketline/job/failure_file.h"
#include "bucketline/job/job_channels.h"
#include "bucketline/job/job_command.h"
#include "bucketline/job/run_scripts.h"
#include "bucketline/s3/child_process.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/search_path.h"

namespace bucketline {
namespace {

// Absolute, without a slash at its end.
std::string RootOf(const std::string& path) {
  std::string root = std::filesystem::absolute(path).lexically_normal().string();
  while (root.ends_with('/')) root.pop_back();
  return root;
}

class Runner {
 public:
  Runner(Runtime& runtime, const JobSpec& spec, const JobOptions& options, const std::stop_token& stop,
         const std::stop_token& hurry)
      : runtime_(runtime),
        spec_(spec),
        options_(options),
        stop_(stop),
        hurry_(hurry),
        command_(ChooseCommand(spec, options.command, options.script_arguments,
                               InSearchPath("docker", std::getenv("PATH")))),
        hosts_(HostLayouts(RootOf(options.root), spec.hosts)) {}

  JobReport Run() {
    Enter(JobPhase::kStarting);
    MakeFolders();
    Attempt([&] {
      LookAtOutput();
      StartCheckpoints();
      StartChannels();
      Train();
    });
    channels_.reset();
    Attempt([&] { Upload(); });
    checkpoints_.reset();
    Enter(JobPhase::kCompleted);
    return std::move(report_);
  }

 private:
  void Enter(JobPhase phase) {
    const SteadyTime now = std::chrono::steady_clock::now();
    if (!report_.phases.empty()) {
      report_.phases.back().seconds = std::chrono::duration<double>(now - phase_begin_).count();
    }
    phase_begin_ = now;
    report_.phases.push_back({phase, std::chrono::system_clock::now()});
    options_.on_phase(phase);
  }

  // The first thing that goes wrong is the job's end.
  template <typename Step>
  void Attempt(Step step) {
    const Result<void> done = Catch(step);
    if (done.ok()) return;
    if (done.error().code() == ErrorCode::kCancelled) {
      if (report_.status == JobStatus::kCompleted) report_.status = JobStatus::kStopped;
    } else {
      Fail(done.error().what());
    }
  }

  void Fail(std::string_view reason) {
    if (report_.status == JobStatus::kFailed) return;
    report_.status = JobStatus::kFailed;
    report_.failure_reason = FailureReasonOf(reason);
  }

  std::string CheckpointFolder(const HostLayout& host) const {
    return host.Here(spec_.checkpoints ? spec_.checkpoints->local_path : "/opt/ml/checkpoints");
  }

  void MakeFolders() {
    for (size_t i = 0; i < hosts_.size(); ++i) {
      MakeLayout(hosts_[i], CheckpointFolder(hosts_[i]), options_.fresh);
      WriteConfigFiles(spec_, i, hosts_[i]);
    }
  }

  // A store that cannot be reached is better told of before the training than after it. May it be written, but not
  // read, this cannot tell.
  void LookAtOutput() {
    const Uri model = OutputUri().Join("model.tar.gz");
    const std::shared_ptr<ObjectStore> store = runtime_.StoreFor(model);
    const Result<ObjectInfo> found = Catch([&] { return HeadObject(*store, Runtime::KeyOf(model), stop_); });
    if (found) return;
    const ErrorCode code = found.error().code();
    if (code != ErrorCode::kNotFound && code != ErrorCode::kPermissionDenied) throw found.error();
  }

  Uri OutputUri() const { return Uri::Parse(spec_.output_uri).Join(spec_.name).Join("output"); }

  void StartCheckpoints() {
    if (!spec_.checkpoints) return;
    std::vector<std::string> folders;
    folders.reserve(hosts_.size());
    for (const HostLayout& host : hosts_) folders.push_back(CheckpointFolder(host));
    checkpoints_ = std::make_unique<CheckpointSync>(
        runtime_, spec_.checkpoints->uri, folders,
        CheckpointOptions{.interval = options_.checkpoint_interval, .log = options_.log}, stop_);
  }

  void StartChannels() {
    channels_ = std::make_unique<JobChannels>(runtime_, spec_, hosts_,
                                              JobChannelOptions{.memory = options_.channel_memory});
    if (channels_->AnyToDownload()) {
      Enter(JobPhase::kDownloading);
      channels_->Download(stop_);
    }
    channels_->Serve(
        [this](const Error& error) {
          {
            std::lock_guard lock(mutex_);
            if (!channel_failure_) channel_failure_ = error;
          }
          kill_.request_stop();
        },
        stop_);
  }

  void Train() {
    if (stop_.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped on request");
    Enter(JobPhase::kTraining);
    const std::stop_callback hurried(hurry_, [this] { kill_.request_stop(); });
    const Result<ScriptsResult> result = Catch([&] {
      return RunScripts(Commands(), {.max_runtime = spec_.max_runtime, .grace = options_.grace},
                        options_.on_line, stop_, kill_.get_token());
    });
    RemoveContainers();
    report_.channel_bytes = channels_->bytes();
    if (!result) throw result.error();
    report_.exit_codes = result->exit_codes;
    Judge(*result);
  }

  std::string ContainerName(size_t host) const {
    return fmt::format("bucketline-{}-{}-{}", spec_.name, HostName(host), getpid());
  }

  std::vector<ScriptCommand> Commands() const {
    const Processors processors = ProcessorsOfThisMachine();
    std::vector<ScriptCommand> commands;
    for (size_t i = 0; i < hosts_.size(); ++i) {
      const HostLayout seen = command_.in_container() ? HostLayout("/opt/ml") : hosts_[i];
      const VariableMap environment = HostEnvironment(spec_, i, seen, options_.store, processors);
      const std::vector<std::string> words =
          command_.in_container()
              ? DockerRun(spec_, hosts_[i],
                          {.name = ContainerName(i), .gpus = processors.gpus, .environment = environment})
              : command_.words;
      commands.push_back({.host = HostName(i),
                          .words = words,
                          .environment = environment,
                          .log = hosts_[i].output() + "/log.txt"});
    }
    return commands;
  }

  // What docker's client leaves when it is killed.
  void RemoveContainers() const {
    if (!command_.in_container()) return;
    for (size_t i = 0; i < hosts_.size(); ++i) {
      const auto removed = Catch([&] {
        return RunChild(DockerRemove(ContainerName(i)), "docker rm", std::chrono::seconds(30), 65536, {});
      });
      if (!removed) options_.log(LogLevel::kWarning, removed.error().what());
    }
  }

  void Judge(const ScriptsResult& result) {
    {
      std::lock_guard lock(mutex_);
      if (channel_failure_) return Fail(channel_failure_->what());
    }
    if (hurry_.stop_requested() || result.end == ScriptsEnd::kStopped) {
      report_.status = JobStatus::kStopped;
    } else if (result.end == ScriptsEnd::kTimedOut) {
      report_.status = JobStatus::kMaxRuntimeExceeded;
    } else if (result.first_failed) {
      const size_t host = *result.first_failed;
      const std::string said = ReadFailureFile(hosts_[host].failure());
      Fail(!said.empty() ? said
                         : fmt::format("the command of {} ended with exit code {}", HostName(host),
                                       result.exit_codes[host]));
    }
  }

  // After every end of the scripts but a hurried one: what a failed or stopped job saved is kept too.
  void Upload() {
    if (report_.exit_codes.empty() || hurry_.stop_requested()) return;
    Enter(JobPhase::kUploading);
    if (checkpoints_ != nullptr) {
      Attempt([&] { checkpoints_->Finish(hurry_); });
      report_.checkpoints_uploaded = checkpoints_->counts().uploaded;
    }
    Attempt([&] { UploadTree(FoldersOf(&HostLayout::model), "model", true); });
    Attempt([&] { UploadTree(FoldersOf(&HostLayout::output_data), "output", false); });
  }

  std::vector<std::string> FoldersOf(std::string (HostLayout::*folder)() const) const {
    std::vector<std::string> folders;
    folders.reserve(hosts_.size());
    for (const HostLayout& host : hosts_) folders.push_back((host.*folder)());
    return folders;
  }

  void UploadTree(const std::vector<std::string>& folders, const std::string& name, bool even_empty) {
    const ArtifactTree tree = CollectArtifacts(folders);
    report_.skipped.insert(report_.skipped.end(), tree.skipped.begin(), tree.skipped.end());
    if (tree.entries.empty() && !even_empty) return;
    const Uri output = OutputUri();
    const std::shared_ptr<ObjectStore> store = runtime_.StoreFor(output);
    if (spec_.compression == ModelCompression::kGzip) {
      const Uri archive = output.Join(name + ".tar.gz");
      UploadArchive(tree, *store, Runtime::KeyOf(archive), hurry_);
      report_.artifacts.push_back(archive.ToString());
    } else {
      const Uri folder = output.Join(name + "/");
      UploadFiles(tree, *store, Runtime::KeyOf(folder), hurry_);
      report_.artifacts.push_back(folder.ToString());
    }
  }

  Runtime& runtime_;
  const JobSpec& spec_;
  const JobOptions& options_;
  const std::stop_token stop_;
  const std::stop_token hurry_;
  const JobCommand command_;
  const std::vector<HostLayout> hosts_;
  JobReport report_;
  SteadyTime phase_begin_{};
  std::stop_source kill_;  // by a channel that failed, or by hurry
  std::mutex mutex_;       // guards channel_failure_
  std::optional<Error> channel_failure_;
  std::unique_ptr<CheckpointSync> checkpoints_;
  std::unique_ptr<JobChannels> channels_;
};

}  // namespace

JobReport RunJob(Runtime& runtime, const JobSpec& spec, const JobOptions& options,
                 const std::stop_token& stop, const std::stop_token& hurry) {
  return Runner(runtime, spec, options, stop, hurry).Run();
}

}  // namespace bucketline
