// Processes that share a cache are killed at random instants. Whatever they were at, no byte is wrong and the disk never
// holds more than the limit; once nobody is left, the next one finds what is used to the byte, and nothing unfinished.
#include <array>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bucketline/base/random.h"
#include "bucketline/base/soak_testing.h"
#include "bucketline/base/temp_folder.h"
#include "bucketline/cache/cache_report.h"
#include "bucketline/cache/cache_testing.h"

extern char** environ;

namespace bucketline {
namespace {

constexpr uint64_t kLimit = uint64_t{4} << 20;

class Filler {
 public:
  Filler(const std::string& folder, uint64_t seed, uint64_t operations) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::vector<std::string> words = {BUCKETLINE_CACHE_FILLER, folder, std::to_string(kLimit),
                                      std::to_string(seed), std::to_string(operations)};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const int error = ::posix_spawn(&process_, argv[0], &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    progress_ = UniqueFd(ends[0]);
    if (error != 0) throw std::runtime_error("cannot start " + words[0]);
  }
  ~Filler() {
    if (process_ > 0) {
      Kill();
      End();
    }
  }

  // Waits until so many operations are done, or it has ended; false when neither comes within a minute.
  bool Await(uint64_t operations) {
    while (operations > 0) {
      pollfd wait{.fd = progress_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&wait, 1, 60'000) != 1) return false;
      std::array<char, 64> done{};
      const ssize_t got = ::read(progress_.get(), done.data(), std::min<uint64_t>(done.size(), operations));
      if (got <= 0) return got == 0;
      operations -= static_cast<uint64_t>(got);
    }
    return true;
  }
  void Kill() const { ::kill(process_, SIGKILL); }
  int End() {  // the status of waitpid
    int status = 0;
    ::waitpid(std::exchange(process_, -1), &status, 0);
    return status;
  }

 private:
  pid_t process_ = -1;
  UniqueFd progress_;
};

bool EndedWell(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }

size_t Unfinished(const std::string& folder) {
  size_t count = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder))
    count += file.path().filename().string().starts_with("t-") ? 1 : 0;
  return count;
}

TEST(CacheKills, LeaveNoWrongByteAndNoLeak) {
  const testing::TempFolder folder;
  const std::string path = folder.Path("cache");
  const int kills = testing::SoakCount("BUCKETLINE_SOAK_CACHE_KILLS", 30);
  for (int round = 0; round < kills; ++round) {
    SCOPED_TRACE(::testing::Message() << "round " << round);
    const uint64_t draw = Mix64(static_cast<uint64_t>(round) + 12345);
    Filler victim(path, draw, 1'000'000), survivor(path, draw + 1, 150);
    ASSERT_TRUE(victim.Await(1 + draw % 200));
    EXPECT_LE(testing::DiskUse(path), kLimit) << "while both work";
    victim.Kill();
    const int killed = victim.End();
    ASSERT_TRUE(WIFSIGNALED(killed) && WTERMSIG(killed) == SIGKILL) << "it found a fault by itself";
    ASSERT_TRUE(survivor.Await(UINT64_MAX));
    ASSERT_TRUE(EndedWell(survivor.End()));
    EXPECT_LE(testing::DiskUse(path), kLimit);

    const auto cache = NodeCache::Open({.folder = path, .limit = kLimit, .log = LogToNowhere()});
    const CacheStatus status = ReadCacheStatus(path);
    EXPECT_TRUE(status.counted);
    EXPECT_EQ(Unfinished(path), 0u);
    EXPECT_EQ(VerifyCache(path).damaged, 0u);
    const uint64_t disk = testing::DiskUse(path);
    EXPECT_GE(status.used, disk);
    // What is counted beyond blocks: 512 bytes a file.
    uint64_t entries = 0;
    for (const CacheDatasetStatus& dataset : status.datasets) entries += dataset.entries + 1;
    EXPECT_LE(status.used, disk + 512 * (entries + 4) + 4096) << "room that nobody uses is counted as used";
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace bucketline
