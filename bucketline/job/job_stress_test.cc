// Scripts that misbehave, in every mode and on several hosts, stopped at any moment: nothing of them may be left.
// BUCKETLINE_SOAK_JOBS says how many jobs run.
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "bucketline/base/random.h"
#include "bucketline/base/soak_testing.h"
#include "bucketline/base/temp_folder.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/job/job_runner.h"
#include "bucketline/job/script_family.h"
#include "bucketline/store/fault_store.h"

namespace bucketline {
namespace {

using ::testing::IsEmpty;

// $1 is where the channel is: a folder, or the FIFO of its first epoch.
constexpr const char* kScripts[] = {
    "if [ -d $1 ]; then cat $1/*; else cat $1; fi > /dev/null",
    "exit 7",
    "kill -9 $$",
    "kill -STOP $$",
    "head -c 10 $1; true",
    "trap '' TERM; while :; do sleep 1000; done",
    "setsid sh -c 'trap \"\" TERM; while :; do sleep 1000; done' & setsid sleep 1000 & exit 0",
    "for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; wait",
    "exec > /dev/null 2>&1; exec sleep 1000",
    "yes",
    "rm -rf $1 $SM_MODEL_DIR",
    "mkfifo $SM_MODEL_DIR/fifo $SM_OUTPUT_FAILURE; exit 1",
    "exec 3< $1; exec sleep 1000",
    "cat $1 > /dev/null & cat $1 > /dev/null & wait",
    "echo x > $SAGEMAKER_BASE_DIR/checkpoints/x; rm -rf $SAGEMAKER_BASE_DIR/checkpoints",
    "cd $1 2> /dev/null; exec sleep 1000",
};

size_t OpenDescriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

size_t MountsBelow(const std::string& folder) {
  std::ifstream mounts("/proc/self/mountinfo");
  size_t count = 0;
  for (std::string line; std::getline(mounts, line);) count += line.find(folder) != std::string::npos ? 1 : 0;
  return count;
}

std::vector<std::string> FifosBelow(const std::string& folder) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_fifo()) found.push_back(entry.path());
  }
  return found;
}

class JobStressTest : public ::testing::Test {
 protected:
  JobStressTest() {
    for (int i = 0; i < 20; ++i) {
      PutBytes(*inner_, fmt::format("in/{:02}", i), std::string(static_cast<size_t>(i) * 5000, 'x'));
    }
    PutBytes(*inner_, "ckpt/1", "one");
    runtime_.AddStore("data", inner_);
    runtime_.AddStore(
        "faulty",
        std::make_shared<FaultStore>(
            inner_, AtRandom(1, 0.1, Fault::FailBefore(Error(ErrorCode::kUnavailable, "injected")))));
  }

  // One of `n` things, by the seed and a number.
  static size_t Draw(uint64_t seed, uint64_t number, size_t n) { return Mix64(seed * 1000 + number) % n; }

  void RunOne(uint64_t seed) {
    const testing::TempFolder folder;
    JobSpec spec;
    spec.name = "stress";
    spec.output_uri = "mem://data/out";
    spec.hosts = 1 + Draw(seed, 0, 2);
    const ChannelMode modes[] = {ChannelMode::kFile, ChannelMode::kPipe, ChannelMode::kFastFile};
    ChannelSpec channel;
    channel.name = "a";
    channel.uri = Draw(seed, 1, 4) == 0 ? "mem://faulty/in/" : "mem://data/in/";
    channel.mode = modes[Draw(seed, 2, has_fuse_ ? 3 : 2)];
    spec.channels = {{channel, ""}};
    if (Draw(seed, 3, 2) == 0) {
      spec.checkpoints = {.uri = "mem://data/ckpt", .local_path = "/opt/ml/checkpoints"};
    }

    const std::string script = kScripts[Draw(seed, 4, std::size(kScripts))];
    const std::string place = channel.mode == ChannelMode::kPipe ? "${SM_CHANNEL_A}_0" : "$SM_CHANNEL_A";
    std::stop_source stop;
    std::stop_source hurry;
    JobOptions options;
    options.root = folder.Path("root");
    options.command = {"sh", "-c", fmt::format("set -- {}; {}", place, script)};
    options.grace = std::chrono::milliseconds(Draw(seed, 5, 100));
    options.checkpoint_interval = std::chrono::milliseconds(1);
    options.channel_memory = uint64_t{64} << 20;
    options.log = LogToNowhere();
    SCOPED_TRACE(fmt::format("seed {}: {} host(s), mode {}, {}", seed, spec.hosts,
                             static_cast<int>(channel.mode), script));

    // Whatever the script does, the job is stopped some moments later, and sometimes hurried.
    const auto stop_after = std::chrono::milliseconds(Draw(seed, 6, 300));
    const bool hurries = Draw(seed, 7, 3) == 0;
    std::jthread stopper([&](const std::stop_token& done) {
      std::mutex mutex;
      std::condition_variable_any wake;
      std::unique_lock lock(mutex);
      wake.wait_for(lock, done, stop_after, [] { return false; });
      stop.request_stop();
      if (hurries) hurry.request_stop();
    });
    const SteadyTime begin = std::chrono::steady_clock::now();
    RunJob(runtime_, spec, options, stop.get_token(), hurry.get_token());
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(120));

    EXPECT_THAT((ScriptFamily{.session = -1, .mark = "TRAINING_JOB_NAME=stress"}.Living()), IsEmpty());
    EXPECT_EQ(MountsBelow(folder.path()), 0u);
    std::vector<std::string> fifos =
        FifosBelow(options.root + (spec.hosts == 1 ? "/input" : "/algo-1/input"));
    EXPECT_THAT(fifos, IsEmpty());
  }

  const bool has_fuse_ = access("/dev/fuse", R_OK | W_OK) == 0;
  const std::shared_ptr<ObjectStore> inner_ = MakeMemoryStore("data");
  Runtime runtime_{testing::Quiet()};
};

TEST_F(JobStressTest, NothingIsLeft) {
  const auto jobs = static_cast<uint64_t>(testing::SoakCount("BUCKETLINE_SOAK_JOBS", 30));
  RunOne(0);
  const size_t descriptors = OpenDescriptors();
  for (uint64_t seed = 1; seed < jobs && !HasFailure(); ++seed) {
    RunOne(seed);
    EXPECT_EQ(OpenDescriptors(), descriptors) << "after seed " << seed;
  }
  if (!has_fuse_) GTEST_SKIP() << "/dev/fuse cannot be opened here: FastFile channels were left out";
}

}  // namespace
}  // namespace bucketline
