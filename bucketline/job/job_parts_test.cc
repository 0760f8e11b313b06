// The small parts of the runner: failure files, commands, containers, reports.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/job/failure_file.h"
#include "bucketline/job/job_command.h"
#include "bucketline/job/job_report.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

TEST(FailureFileTest, TheFirst1024Characters) {
  std::string euros;
  for (int i = 0; i < 1024; ++i) euros += "\xE2\x82\xAC";
  EXPECT_EQ(FailureReasonOf(euros), euros);
  EXPECT_EQ(FailureReasonOf(euros + "x"), euros);
  EXPECT_EQ(FailureReasonOf("why"), "why");
  const testing::TempFolder folder;
  folder.Put("failure", euros + euros);
  EXPECT_EQ(ReadFailureFile(folder.Path("failure")), euros);
}

TEST(FailureFileTest, WhatIsNoFileSaysNothingAndIsNotWaitedFor) {
  const testing::TempFolder folder;
  EXPECT_EQ(ReadFailureFile(folder.Path("none")), "");
  EXPECT_EQ(ReadFailureFile(folder.path()), "");
  EXPECT_EQ(ReadFailureFile("/dev/zero"), "");
  ASSERT_EQ(mkfifo(folder.Path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(ReadFailureFile(folder.Path("fifo")), "");
}

JobSpec WithImage() { return {.name = "j", .image = "registry/image:1"}; }

TEST(JobCommandTest, WhatIsGivenWins) {
  JobSpec spec = WithImage();
  spec.entrypoint = {"python3", "train.py"};
  spec.arguments = {"--fast"};
  EXPECT_EQ(ChooseCommand(spec, {"sh", "x"}, false, true).words, (Words{"sh", "x"}));
  EXPECT_EQ(ChooseCommand(spec, {}, false, true).words, (Words{"python3", "train.py", "--fast"}));
  EXPECT_TRUE(ChooseCommand(WithImage(), {}, false, true).in_container());
}

TEST(JobCommandTest, ScriptArgumentsFollow) {
  JobSpec spec = WithImage();
  spec.hyperparameters = {{"epochs", "3"}, {"sagemaker_program", "\"x\""}};
  EXPECT_EQ(ChooseCommand(spec, {"python3"}, true, false).words, (Words{"python3", "--epochs", "3"}));
}

TEST(JobCommandTest, NothingToRunSaysWhatToGive) {
  const Error nothing = ErrorOf([] { ChooseCommand({.name = "j"}, {}, false, true); });
  EXPECT_EQ(nothing.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(nothing.message(), HasSubstr("give a command after --"));
  const Error no_docker = ErrorOf([] { ChooseCommand(WithImage(), {}, false, false); });
  EXPECT_EQ(no_docker.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(no_docker.message(), HasSubstr("registry/image:1, and there is no docker in PATH"));
}

TEST(JobCommandTest, TheContainersCommandLine) {
  JobSpec spec = WithImage();
  const ContainerOptions options = {
      .name = "c1", .gpus = 0, .environment = {{"K", "secret"}, {"SM_HOSTS", "[]"}}};
  EXPECT_THAT(DockerRun(spec, HostLayout("/jobs/x/algo-1"), options),
              ElementsAre("docker", "run", "--rm", "--name", "c1", "--network", "host", "--volume",
                          "/jobs/x/algo-1:/opt/ml", "--add-host", "algo-1:127.0.0.1", "--env", "K", "--env",
                          "SM_HOSTS", "--env", "AWS_ACCESS_KEY_ID", "--env", "AWS_SECRET_ACCESS_KEY", "--env",
                          "AWS_SESSION_TOKEN", "registry/image:1", "train"));
  spec.arguments = {"evaluate", "--fast"};
  const Words words = DockerRun(spec, HostLayout("/r"), {.name = "c1", .gpus = 2, .environment = {}});
  EXPECT_THAT(words, ::testing::IsSupersetOf({"--gpus", "all"}));
  EXPECT_EQ(Words(words.end() - 3, words.end()), (Words{"registry/image:1", "evaluate", "--fast"}));
  EXPECT_EQ(DockerRemove("c1"), (Words{"docker", "rm", "--force", "c1"}));
}

TEST(JobReportTest, AsJson) {
  JobReport report;
  report.status = JobStatus::kMaxRuntimeExceeded;
  report.failure_reason = "why";
  report.phases = {{JobPhase::kTraining, WallTime(std::chrono::milliseconds(1'700'000'000'250)), 1.5}};
  report.exit_codes = {0, 143};
  report.artifacts = {"s3://b/o"};
  EXPECT_EQ(
      ReportJson("j1", report).dump(),
      R"({"job":"j1","status":"MaxRuntimeExceeded","failure_reason":"why","phases":[{"phase":"Training",)"
      R"("begin":"2023-11-14T22:13:20.250Z","seconds":1.5}],"exit_codes":[0,143],"artifacts":["s3://b/o"],)"
      R"("skipped":[],"channel_bytes":0,"checkpoints_uploaded":0})");
}

TEST(JobReportTest, Names) {
  Words phases;
  for (const JobPhase phase : {JobPhase::kStarting, JobPhase::kDownloading, JobPhase::kTraining,
                               JobPhase::kUploading, JobPhase::kCompleted}) {
    phases.emplace_back(JobPhaseName(phase));
  }
  EXPECT_THAT(phases, ElementsAre("Starting", "Downloading", "Training", "Uploading", "Completed"));
  Words statuses;
  for (const JobStatus status : {JobStatus::kCompleted, JobStatus::kFailed, JobStatus::kStopped}) {
    statuses.emplace_back(JobStatusName(status));
  }
  EXPECT_THAT(statuses, ElementsAre("Completed", "Failed", "Stopped"));
}

}  // namespace
}  // namespace bucketline
