#include "bucketline/job/job_runner.h"

#include <filesystem>
#include <mutex>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/store/fault_store.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Quiet;
using ::testing::StartsWith;

// Jobs whose bucket is mem://data/; calls for keys that `broken_` names fail.
class JobRunnerTest : public ::testing::Test {
 protected:
  JobRunnerTest() {
    runtime_.AddStore("data", std::make_shared<FaultStore>(inner_, [this](const StoreCall& call, uint64_t) {
                        std::lock_guard lock(mutex_);
                        const bool broken = !broken_.empty() && call.key.find(broken_) != std::string::npos;
                        return broken ? Fault::FailBefore(Error(ErrorCode::kUnavailable, "injected"))
                                      : Fault::None();
                      }));
    spec_.name = "j1";
    spec_.output_uri = "mem://data/out";
    options_.root = folder_.Path("root");
    options_.checkpoint_interval = std::chrono::milliseconds(1);
    options_.log = LogToNowhere();
    options_.on_line = [this](std::string_view host, std::string_view line) {
      lines_.push_back(fmt::format("{}: {}", host, line));
      if (on_line_) on_line_(std::string(line));
    };
    options_.on_phase = [this](JobPhase phase) { phases_.emplace_back(JobPhaseName(phase)); };
  }

  void AddChannel(const std::string& name, ChannelMode mode, const std::string& uri = "mem://data/in/") {
    ChannelSpec channel;
    channel.name = name;
    channel.uri = uri;
    channel.mode = mode;
    spec_.channels.push_back({channel, ""});
  }

  void Put(const std::string& key, const std::string& text) { PutBytes(*inner_, key, text); }

  void Break(const std::string& part_of_key) {
    std::lock_guard lock(mutex_);
    broken_ = part_of_key;
  }

  JobReport Run(const std::string& script) {
    options_.command = {"sh", "-c", script};
    return RunJob(runtime_, spec_, options_, stop_.get_token(), hurry_.get_token());
  }

  std::vector<std::string> Keys(const std::string& prefix) const {
    std::vector<std::string> keys;
    for (const ObjectInfo& object : ListAll(*inner_, prefix)) keys.push_back(object.key);
    return keys;
  }

  // FIFOs and anything else that is neither file nor folder below the root.
  std::vector<std::string> Leftovers() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(options_.root)) {
      if (!entry.is_regular_file() && !entry.is_directory()) found.push_back(entry.path());
    }
    return found;
  }

  const testing::TempFolder folder_;
  const std::shared_ptr<ObjectStore> inner_ = MakeMemoryStore("data");
  std::mutex mutex_;
  std::string broken_;
  Runtime runtime_{Quiet()};
  JobSpec spec_;
  JobOptions options_;
  std::stop_source stop_;
  std::stop_source hurry_;
  std::function<void(const std::string& line)> on_line_;
  std::vector<std::string> lines_;
  std::vector<std::string> phases_;
};

TEST_F(JobRunnerTest, AJobFromItsChannelsToItsArtefacts) {
  Put("in/a.csv", "1\n");
  AddChannel("train", ChannelMode::kFile);
  spec_.hyperparameters = {{"epochs", "3"}};
  const JobReport report =
      Run("cat $SM_CHANNEL_TRAIN/a.csv; cat $SM_INPUT_CONFIG_DIR/hyperparameters.json; echo; "
          "echo w > $SM_MODEL_DIR/w; echo o > $SM_OUTPUT_DATA_DIR/o");
  EXPECT_EQ(report.status, JobStatus::kCompleted) << report.failure_reason;
  EXPECT_THAT(phases_, ElementsAre("Starting", "Downloading", "Training", "Uploading", "Completed"));
  ASSERT_EQ(report.phases.size(), 5u);
  EXPECT_GT(report.phases[2].seconds, 0);
  EXPECT_THAT(report.exit_codes, ElementsAre(0));
  EXPECT_THAT(report.artifacts,
              ElementsAre("mem://data/out/j1/output/model.tar.gz", "mem://data/out/j1/output/output.tar.gz"));
  EXPECT_THAT(Keys("out/"), ElementsAre("out/j1/output/model.tar.gz", "out/j1/output/output.tar.gz"));
  EXPECT_EQ(report.channel_bytes, 2u);
  EXPECT_THAT(lines_, ElementsAre("algo-1: 1", "algo-1: {\"epochs\":\"3\"}"));
  EXPECT_TRUE(std::filesystem::exists(options_.root + "/output/log.txt"));
}

TEST_F(JobRunnerTest, PipesAreThereFromTheStart) {
  for (int i = 0; i < 4; ++i) Put(fmt::format("in/{}", i), fmt::format("line {}\n", i));
  AddChannel("train", ChannelMode::kPipe);
  spec_.hosts = 2;
  spec_.channels[0].channel.sharded = true;
  const JobReport report = Run("cat ${SM_CHANNEL_TRAIN}_0 > /dev/null && cat ${SM_CHANNEL_TRAIN}_1");
  EXPECT_EQ(report.status, JobStatus::kCompleted) << report.failure_reason;
  EXPECT_THAT(phases_, ElementsAre("Starting", "Training", "Uploading", "Completed"));
  EXPECT_THAT(lines_, ::testing::UnorderedElementsAre("algo-1: line 0", "algo-1: line 2", "algo-2: line 1",
                                                      "algo-2: line 3"));
  EXPECT_EQ(report.channel_bytes, 2 * 4 * 7u);
  EXPECT_THAT(Leftovers(), IsEmpty());
}

TEST_F(JobRunnerTest, EmptyOutputIsNotUploadedButTheModelIs) {
  Run("true");
  EXPECT_THAT(Keys("out/"), ElementsAre("out/j1/output/model.tar.gz"));
}

TEST_F(JobRunnerTest, WithoutCompressionFilesAreObjects) {
  spec_.compression = ModelCompression::kNone;
  EXPECT_THAT(Run("mkdir $SM_MODEL_DIR/a; echo w > $SM_MODEL_DIR/a/w").artifacts,
              ElementsAre("mem://data/out/j1/output/model/"));
  EXPECT_THAT(Keys("out/"), ElementsAre("out/j1/output/model/a/w"));
}

TEST_F(JobRunnerTest, AFailedScriptSaysWhyAndKeepsItsWork) {
  const JobReport report = Run("echo w > $SM_MODEL_DIR/w; printf 'bad data' > $SM_OUTPUT_FAILURE; exit 3");
  EXPECT_EQ(report.status, JobStatus::kFailed);
  EXPECT_EQ(report.failure_reason, "bad data");
  EXPECT_THAT(report.exit_codes, ElementsAre(3));
  EXPECT_THAT(report.artifacts, ElementsAre("mem://data/out/j1/output/model.tar.gz"));
}

TEST_F(JobRunnerTest, AHostThatFailsWithoutAWordIsNamed) {
  spec_.hosts = 2;
  const JobReport report = Run("[ $SM_CURRENT_HOST = algo-2 ] && exit 3; exec sleep 1000");
  EXPECT_EQ(report.failure_reason, "the command of algo-2 ended with exit code 3");
}

TEST_F(JobRunnerTest, AFailureFileOfAJobThatIsDoneMeansNothing) {
  const JobReport report = Run("echo but > $SM_OUTPUT_FAILURE");
  EXPECT_EQ(report.status, JobStatus::kCompleted);
  EXPECT_EQ(report.failure_reason, "");
}

TEST_F(JobRunnerTest, AStoppedJobKeepsWhatItSaved) {
  on_line_ = [this](const std::string&) { stop_.request_stop(); };
  const JobReport report =
      Run("trap 'echo w > $SM_MODEL_DIR/w; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
  EXPECT_EQ(report.status, JobStatus::kStopped);
  EXPECT_THAT(report.artifacts, ElementsAre("mem://data/out/j1/output/model.tar.gz"));
}

TEST_F(JobRunnerTest, AHurriedEndUploadsNothing) {
  AddChannel("train", ChannelMode::kPipe);
  Put("in/a", "1");
  on_line_ = [this](const std::string&) {
    stop_.request_stop();
    hurry_.request_stop();
  };
  const JobReport report = Run("trap '' TERM; echo ready; while :; do sleep 1000; done");
  EXPECT_EQ(report.status, JobStatus::kStopped);
  EXPECT_THAT(report.artifacts, IsEmpty());
  EXPECT_THAT(Keys("out/"), IsEmpty());
  EXPECT_THAT(Leftovers(), IsEmpty());
}

TEST_F(JobRunnerTest, AStopBeforeTheTrainingStartsNothing) {
  stop_.request_stop();
  const JobReport report = Run("echo never");
  EXPECT_EQ(report.status, JobStatus::kStopped);
  EXPECT_THAT(lines_, IsEmpty());
  EXPECT_THAT(phases_, ElementsAre("Starting", "Completed"));
}

TEST_F(JobRunnerTest, TheRuntimeIsLimited) {
  spec_.max_runtime = std::chrono::seconds(1);
  const JobReport report = Run("exec sleep 1000");
  EXPECT_EQ(report.status, JobStatus::kMaxRuntimeExceeded);
  EXPECT_THAT(report.artifacts, ElementsAre("mem://data/out/j1/output/model.tar.gz"));
}

TEST_F(JobRunnerTest, AnEmptyChannelFailsTheJobByName) {
  for (const ChannelMode mode : {ChannelMode::kFile, ChannelMode::kPipe}) {
    options_.fresh = true;
    spec_.channels.clear();
    AddChannel("train", mode, "mem://data/none/");
    const JobReport report = Run("echo never");
    EXPECT_EQ(report.status, JobStatus::kFailed);
    EXPECT_THAT(report.failure_reason, StartsWith("channel train: mem://data/none/"));
    EXPECT_THAT(lines_, IsEmpty());
  }
}

TEST_F(JobRunnerTest, AChannelThatFailsKillsTheScript) {
  Put("in/a", std::string(100, 'x'));
  AddChannel("train", ChannelMode::kPipe);
  on_line_ = [this](const std::string&) { Break("in/a"); };
  const JobReport report = Run("trap '' TERM; echo ready; read go < ${SM_CHANNEL_TRAIN}_0; sleep 1000");
  EXPECT_EQ(report.status, JobStatus::kFailed);
  EXPECT_THAT(report.failure_reason, StartsWith("channel train: mem://data/in/a: injected"));
  EXPECT_THAT(report.exit_codes, ElementsAre(128 + 9));
  EXPECT_THAT(Leftovers(), IsEmpty());
}

TEST_F(JobRunnerTest, CheckpointsComeBackAndAreKept) {
  Put("ckpt/1", "one");
  options_.checkpoint_interval = std::chrono::hours(1);  // only the last look is meant
  spec_.checkpoints = {.uri = "mem://data/ckpt", .local_path = "/opt/ml/checkpoints/"};
  const JobReport report =
      Run("cat $SAGEMAKER_BASE_DIR/checkpoints/1; echo two > $SAGEMAKER_BASE_DIR/checkpoints/2");
  EXPECT_THAT(lines_, ElementsAre("algo-1: one"));
  EXPECT_EQ(report.checkpoints_uploaded, 1u);
  EXPECT_THAT(Keys("ckpt/"), ElementsAre("ckpt/1", "ckpt/2"));
}

TEST_F(JobRunnerTest, CheckpointsThatCannotBeSavedFailTheJob) {
  spec_.checkpoints = {.uri = "mem://data/ckpt", .local_path = "/opt/ml/checkpoints"};
  options_.checkpoint_interval = std::chrono::hours(1);  // only the last look is meant
  on_line_ = [this](const std::string&) { Break("ckpt"); };
  const JobReport report = Run("echo ready; echo x > $SAGEMAKER_BASE_DIR/checkpoints/x");
  EXPECT_EQ(report.status, JobStatus::kFailed);
  EXPECT_THAT(report.failure_reason, HasSubstr("ckpt/x: injected"));
  EXPECT_THAT(report.artifacts, ElementsAre("mem://data/out/j1/output/model.tar.gz"));
}

TEST_F(JobRunnerTest, AnOutputThatCannotBeReachedIsToldBeforeTheTraining) {
  Break("out/");
  const JobReport report = Run("echo never");
  EXPECT_EQ(report.status, JobStatus::kFailed);
  EXPECT_THAT(report.failure_reason, HasSubstr("model.tar.gz: injected"));
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(JobRunnerTest, AnUploadThatFailsIsTheReason) {
  on_line_ = [this](const std::string&) { Break("model.tar.gz"); };
  const JobReport report = Run("echo ready");
  EXPECT_EQ(report.status, JobStatus::kFailed);
  EXPECT_THAT(report.failure_reason, HasSubstr("model.tar.gz: injected"));
}

TEST_F(JobRunnerTest, HostsThatWriteTheSameNameFail) {
  spec_.hosts = 2;
  const JobReport report = Run("echo w > $SM_MODEL_DIR/w");
  EXPECT_EQ(report.status, JobStatus::kFailed);
  EXPECT_THAT(report.failure_reason, HasSubstr("two hosts have written \"w\""));
}

TEST_F(JobRunnerTest, WhatNoArchiveHoldsIsReported) {
  EXPECT_THAT(Run("mkfifo $SM_MODEL_DIR/fifo").skipped, ElementsAre(options_.root + "/model/fifo"));
}

TEST_F(JobRunnerTest, ACommandThatIsNotThereFailsTheJob) {
  options_.command = {"no-such-command"};
  const JobReport report = RunJob(runtime_, spec_, options_, {}, {});
  EXPECT_EQ(report.status, JobStatus::kFailed);
  EXPECT_THAT(report.failure_reason, HasSubstr("\"no-such-command\" cannot be started"));
  EXPECT_THAT(report.artifacts, IsEmpty());
}

TEST_F(JobRunnerTest, WhatIsWrongBeforeTheStartIsThrown) {
  EXPECT_EQ(ErrorOf([&] { RunJob(runtime_, spec_, options_, {}, {}); }).code(), ErrorCode::kInvalidArgument);
  Run("echo w > $SM_MODEL_DIR/w");
  EXPECT_EQ(ErrorOf([&] { Run("true"); }).code(), ErrorCode::kAlreadyExists);
  options_.fresh = true;
  EXPECT_EQ(Run("true").status, JobStatus::kCompleted);
}

TEST_F(JobRunnerTest, TheRootIsToldAsOnePath) {
  options_.root = folder_.Path("a/../root//");
  Run("echo $SM_MODEL_DIR");
  EXPECT_THAT(lines_, ElementsAre("algo-1: " + folder_.Path("root/model")));
}

TEST_F(JobRunnerTest, TheScriptFindsTheStore) {
  options_.store = {.endpoint_url = "http://127.0.0.1:1", .region = "r", .profile = ""};
  Run("echo $AWS_ENDPOINT_URL_S3 $S3_ENDPOINT_URL $AWS_REGION $TRAINING_JOB_NAME");
  EXPECT_THAT(lines_, ElementsAre("algo-1: http://127.0.0.1:1 http://127.0.0.1:1 r j1"));
}

}  // namespace
}  // namespace bucketline
