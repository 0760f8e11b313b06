// bucketline job: SageMaker training jobs on this machine.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/job_json.h"
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <signal.h>

#include "bucketline/base/units.h"
#include "bucketline/job/config_files.h"
#include "bucketline/job/job_runner.h"
#include "bucketline/store/posix_error.h"

namespace bucketline::cli {
namespace {

struct Args {
  ConnectionArgs connection;
  std::string file;
  JobOptions job;
};

std::string ReadDescription(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw PosixError(errno, "read the job description", path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Dumped(const nlohmann::ordered_json& object, int indent = -1) {
  return object.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The first of the variables that is set.
std::string FromEnvironment(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

StoreAddress AddressOf(const S3Options& s3) {
  StoreAddress address = {.endpoint_url = s3.endpoint_url, .region = s3.region, .profile = s3.profile};
  if (address.endpoint_url.empty()) {
    address.endpoint_url = FromEnvironment({"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  }
  if (address.region.empty()) address.region = FromEnvironment({"AWS_REGION", "AWS_DEFAULT_REGION"});
  return address;
}

// A reader of our output that goes away must not end the job: its log has every line.
void BlockSigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void WriteLine(std::FILE* file, std::string_view prefix, std::string_view line) {
  std::fwrite(prefix.data(), 1, prefix.size(), file);
  std::fwrite(line.data(), 1, line.size(), file);
  std::fputc('\n', file);
  std::fflush(file);
}

// To the person who watches; that nobody does must not end the job.
void Say(const std::string& text) { WriteLine(stderr, "bucketline: ", text); }

void PrintReport(const JobSpec& spec, const JobReport& report) {
  for (const std::string& path : report.skipped) {
    Say(path + " was left out: it is neither file, folder nor link");
  }
  for (const std::string& uri : report.artifacts) Say("uploaded " + uri);
  Say(fmt::format("job {}: {}", spec.name, JobStatusName(report.status)));
  if (!report.failure_reason.empty()) Say(report.failure_reason);
}

std::string TimeOfDay() {
  const std::time_t now = std::time(nullptr);
  std::tm local;
  localtime_r(&now, &local);
  char text[16];
  return {text, std::strftime(text, sizeof text, "%H:%M:%S", &local)};
}

int ExitCodeOf(JobStatus status) {
  switch (status) {
    case JobStatus::kCompleted:
      return kDone;
    case JobStatus::kStopped:
      return kInterrupted;
    case JobStatus::kFailed:
    case JobStatus::kMaxRuntimeExceeded:
      break;
  }
  return kFailed;
}

int RunIt(Args& args, bool json, const std::stop_token& stop, const std::stop_token& hurry) {
  const JobSpec spec = ParseJob(ReadDescription(args.file));
  BlockSigpipe();
  RuntimeOptions connecting = args.connection.runtime;
  connecting.network_threads = std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
  Runtime runtime(connecting);
  args.job.store = AddressOf(connecting.s3);
  args.job.log = runtime.log();
  std::FILE* const lines = json ? stderr : stdout;
  args.job.on_line = [&](std::string_view host, std::string_view line) {
    WriteLine(lines, spec.hosts > 1 ? fmt::format("{} | ", host) : "", line);
  };
  args.job.on_phase = [&](JobPhase phase) { Say(fmt::format("{} {}", TimeOfDay(), JobPhaseName(phase))); };
  const std::stop_callback stopping(
      stop, [] { Say("stopping; the script may save its work, once more ends it at once"); });
  const JobReport report = RunJob(runtime, spec, args.job, stop, hurry);
  if (json) fmt::print("{}\n", Dumped(ReportJson(spec.name, report)));
  PrintReport(spec, report);
  return ExitCodeOf(report.status);
}

int Validate(const std::string& file, bool json) {
  const JobReading reading = ReadJob(ReadDescription(file));
  if (json) fmt::print("{}\n", Dumped(ReadingJson(reading)));
  for (const JobFault& fault : reading.faults) fmt::print(stderr, "{}\n", fault.ToString());
  if (!reading.faults.empty()) return kFailed;
  if (!json) fmt::print("{}: a valid training job\n", file);
  return kDone;
}

int Describe(const std::string& file, bool json) {
  const std::string text = ReadDescription(file);
  const JobSpec spec = ParseJob(text);
  const JobReading reading = ReadJob(text);
  if (json) {
    fmt::print("{}\n", Dumped(DescriptionJson(reading)));
    return kDone;
  }
  fmt::print("job          {}, {} host{}, at most {} s\n", spec.name, spec.hosts, spec.hosts == 1 ? "" : "s",
             spec.max_runtime.count());
  if (!spec.image.empty()) fmt::print("image        {}\n", spec.image);
  if (!spec.entrypoint.empty()) {
    fmt::print("command      {} {}\n", fmt::join(spec.entrypoint, " "), fmt::join(spec.arguments, " "));
  }
  for (const auto& [channel, content_type] : spec.channels) {
    fmt::print("channel      {} ({}{}) {}\n", channel.name, ChannelModeName(channel.mode),
               channel.sharded ? ", sharded" : "", channel.uri);
  }
  for (const auto& [name, value] : spec.hyperparameters) fmt::print("parameter    {} = {}\n", name, value);
  if (spec.checkpoints) {
    fmt::print("checkpoints  {} <-> {}\n", spec.checkpoints->local_path, spec.checkpoints->uri);
  }
  fmt::print("output       {}\n", Uri::Parse(spec.output_uri).Join(spec.name).Join("output/").ToString());
  if (!reading.without_effect.empty()) {
    fmt::print("without effect here: {}\n", fmt::join(reading.without_effect, ", "));
  }
  return kDone;
}

CLI::App* AddFileCommand(CLI::App& job, const std::string& name, const std::string& help, Args& args,
                         Invocation& invocation) {
  CLI::App* sub = job.add_subcommand(name, help);
  sub->add_option("file", args.file, "the JSON of a CreateTrainingJob request")->required();
  sub->add_flag("--json", invocation.json, "the result as JSON");
  return sub;
}

void AddRun(CLI::App& job, const std::shared_ptr<Args>& args, Invocation& invocation) {
  CLI::App* sub = AddFileCommand(job, "run", "run the job and upload its artefacts", *args, invocation);
  JobOptions& options = args->job;
  sub->add_option("command", options.command, "after --: what is run instead of the job's own command");
  sub->add_option("--root", options.root, "folder that stands for /opt/ml")->capture_default_str();
  sub->add_flag("--fresh", options.fresh,
                "remove what an earlier job left in the root; its code folder is kept");
  sub->add_flag("--script-arguments", options.script_arguments,
                "add the hyperparameters to the command, as the training toolkit does: --name value");
  AddParsed<Duration>(
      *sub, "--grace", options.grace, [](const std::string& text) { return ParseDuration(text); },
      "between SIGTERM and SIGKILL [120s]");
  AddParsed<Duration>(
      *sub, "--checkpoint-interval", options.checkpoint_interval,
      [](const std::string& text) { return ParseDuration(text); },
      "between two looks for new checkpoints [1s]");
  AddByteSize(*sub, "--memory", options.channel_memory, "what all channels together hold [1GiB]");
  args->connection.AddTo(*sub);
  sub->callback([args, &invocation] {
    invocation.hurry.emplace();
    invocation.run = [args, &invocation](std::stop_token stop) {
      return RunIt(*args, invocation.json, stop, invocation.hurry->get_token());
    };
  });
}

}  // namespace

void AddJob(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  CLI::App* job = app.add_subcommand("job", "SageMaker training jobs on this machine");
  job->require_subcommand(1);
  AddRun(*job, args, invocation);
  AddFileCommand(*job, "validate", "name everything that is wrong with a request", *args, invocation)
      ->callback([args, &invocation] {
        invocation.run = [args, &invocation](std::stop_token) {
          return Validate(args->file, invocation.json);
        };
      });
  AddFileCommand(*job, "describe", "what the request means here", *args, invocation)
      ->callback([args, &invocation] {
        invocation.run = [args, &invocation](std::stop_token) {
          return Describe(args->file, invocation.json);
        };
      });
  job->add_subcommand("limits", "the limits of every field, as JSON")->callback([&invocation] {
    invocation.run = [](std::stop_token) {
      fmt::print("{}\n", Dumped(LimitsJson(), 1));
      return kDone;
    };
  });
}

}  // namespace bucketline::cli
