#include "bucketline/channel/mount.h"

#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "bucketline/channel/mount_folder.h"
#include "bucketline/channel/mount_testing.h"

namespace bucketline {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::kMountDeadline;
using testing::TempFolder;
using ::testing::UnorderedElementsAre;

using MountTest = testing::MountFixture;

TEST_F(MountTest, FoldersAndFilesAreWhatTheKeysSpell) {
  for (const char* name : {"a", "b/c", "b/d/e", "b-1", "z.txt"}) Put(name, name);
  const auto mount = Start();
  EXPECT_EQ(mount->files(), 5u);
  EXPECT_EQ(mount->folders(), 2u);
  EXPECT_EQ(NamesIn(folder_), (std::set<std::string>{"a", "b", "b-1", "z.txt"}));
  EXPECT_EQ(NamesIn(Path("b")), (std::set<std::string>{"c", "d"}));
  for (const char* name : {"a", "b/c", "b/d/e", "b-1", "z.txt"}) EXPECT_EQ(Read(name), name);
  EXPECT_FALSE(fs::exists(Path("b/x")));
  EXPECT_FALSE(fs::exists(Path("a/x")));
}

TEST_F(MountTest, EverythingIsReadOnly) {
  Put("a", "text");
  const auto mount = Start();
  struct stat status{};
  ASSERT_EQ(stat(Path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode, S_IFREG | 0444u);
  EXPECT_EQ(status.st_size, 4);
  EXPECT_NEAR(static_cast<double>(status.st_mtime), static_cast<double>(time(nullptr)), 60);
  ASSERT_EQ(stat(folder_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode, S_IFDIR | 0555u);
  EXPECT_EQ(access(Path("a").c_str(), R_OK), 0);
  EXPECT_EQ(access(Path("a").c_str(), W_OK), -1);
  EXPECT_EQ(open(Path("a").c_str(), O_WRONLY | O_CLOEXEC), -1);
  EXPECT_EQ(errno, EROFS);
  EXPECT_EQ(open(Path("new").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666), -1);
  EXPECT_EQ(unlink(Path("a").c_str()), -1);
  struct statvfs statistics{};
  ASSERT_EQ(statvfs(folder_.c_str(), &statistics), 0);
  EXPECT_EQ(statistics.f_files, 2u);
  EXPECT_EQ(statistics.f_bavail, 0u);
}

TEST_F(MountTest, AFolderOfManyIsListedWholeAndFromAnyPlace) {
  std::set<std::string> expected;
  for (int i = 0; i < 3000; ++i) expected.insert("file-with-a-rather-long-name-" + std::to_string(i));
  for (const std::string& name : expected) Put(name, "");
  Put("folder/x", "");
  expected.insert("folder");
  const auto mount = Start();
  EXPECT_EQ(NamesIn(folder_), expected);

  DIR* const folder = opendir(folder_.c_str());
  ASSERT_NE(folder, nullptr);
  std::vector<std::pair<long, std::string>> places;
  for (long place = telldir(folder); const dirent* entry = readdir(folder); place = telldir(folder)) {
    places.emplace_back(place, entry->d_name);
  }
  EXPECT_EQ(places.size(), expected.size() + 2);
  EXPECT_EQ(places[0].second, ".");
  EXPECT_EQ(places[1].second, "..");
  for (const size_t i : {places.size() - 1, size_t{1500}, size_t{2}, size_t{0}}) {
    seekdir(folder, places[i].first);
    const dirent* entry = readdir(folder);
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(entry->d_name, places[i].second);
  }
  closedir(folder);
}

TEST_F(MountTest, EightReadersGetTheObjectsBytesAtAnyOffset) {
  std::vector<std::string> contents;
  for (uint64_t i = 0; i < 4; ++i) contents.push_back(PutRamp(std::to_string(i), 3'000'000 + 777 * i, i));
  const auto mount = Start({.memory = 32 << 20});
  std::vector<std::thread> readers;
  for (uint64_t reader = 0; reader < 8; ++reader) {
    readers.emplace_back([&, reader] {
      std::mt19937_64 random(reader);
      for (int i = 0; i < 60; ++i) {
        const uint64_t which = random() % 4;
        const uint64_t offset = random() % contents[which].size();
        std::string text(random() % 300'000 + 1, '\0');
        const UniqueFd fd(open(Path(std::to_string(which)).c_str(), O_RDONLY | O_CLOEXEC));
        const ssize_t got = pread(fd.get(), text.data(), text.size(), static_cast<off_t>(offset));
        ASSERT_GE(got, 0);
        text.resize(static_cast<size_t>(got));
        ASSERT_TRUE(text == contents[which].substr(offset, text.size() ? 300'001 : 0).substr(0, text.size()));
        ASSERT_EQ(text.empty(), false);
      }
    });
  }
  for (std::thread& thread : readers) thread.join();
  EXPECT_EQ(mount->failed_reads(), 0u);
}

TEST_F(MountTest, SequentialReadsAndMappingsAreTheObject) {
  const std::string content = PutRamp("big", 9'000'001);
  const auto mount = Start();
  const UniqueFd fd(open(Path("big").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(lseek(fd.get(), 0, SEEK_END), 9'000'001);
  ASSERT_EQ(lseek(fd.get(), -5, SEEK_CUR), 8'999'996);
  void* const mapped = mmap(nullptr, content.size(), PROT_READ, MAP_SHARED, fd.get(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  EXPECT_EQ(memcmp(static_cast<const char*>(mapped) + 5'000'000, content.data() + 5'000'000, 1000), 0);
  EXPECT_EQ(memcmp(mapped, content.data(), content.size()), 0);
  munmap(mapped, content.size());
  EXPECT_TRUE(Read("big") == content);
}

TEST_F(MountTest, TheKernelKeepsWhatWasRead) {
  const std::string content = PutRamp("a", 500'000);
  const auto mount = Start();
  EXPECT_TRUE(Read("a") == content);
  store_->Forget();
  EXPECT_TRUE(Read("a") == content);
  EXPECT_EQ(store_->CountOf(StoreOp::kGet), 0u);
}

TEST_F(MountTest, AnObjectThatWasReplacedIsAnEioAndOneLine) {
  PutRamp("a", 10'000, 1);
  PutRamp("b", 10'000, 1);
  const auto mount = Start();
  PutRamp("a", 10'000, 2);
  EXPECT_EQ(ErrnoOfRead("a"), EIO);
  EXPECT_EQ(ErrnoOfRead("a"), EIO);
  EXPECT_EQ(ErrnoOfRead("b"), 0);
  EXPECT_THAT(log_.lines(), ElementsAre(HasSubstr("mem://data/p/a")));
  EXPECT_GE(mount->failed_reads(), 2u);
}

TEST_F(MountTest, KeysThatCannotBePathsAreLeftOutAndTold) {
  for (const char* name : {"ok", "a//b", "../up", "w", "w/p", "marker/"}) Put(name, "x");
  std::vector<std::string> left;
  const auto mount =
      Start({.left_out = [&](std::string_view key, std::string_view) { left.emplace_back(key); }});
  EXPECT_EQ(NamesIn(folder_), (std::set<std::string>{"ok", "w"}));
  EXPECT_THAT(left, UnorderedElementsAre("p/a//b", "p/../up", "p/w/p", "p/marker/"));
}

// A process that reads a file, and its end with a deadline.
class Reader {
 public:
  explicit Reader(const std::string& path) {
    std::array<const char*, 3> words = {"cat", path.c_str(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&pid_, "cat", &actions, nullptr, const_cast<char**>(words.data()), environ) != 0)
      pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
  }
  void Kill() const { kill(pid_, SIGKILL); }
  // Its wait status; -1 when it did not end in time.
  int Wait() {
    const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    pollfd ended{.fd = process.get(), .events = POLLIN, .revents = 0};
    int status = -1;
    if (poll(&ended, 1, static_cast<int>(std::chrono::milliseconds(kMountDeadline).count())) != 1) return -1;
    return waitpid(pid_, &status, 0) == pid_ ? status : -1;
  }

 private:
  pid_t pid_ = -1;
};

TEST_F(MountTest, AReaderThatIsKilledLeavesTheMountInOrder) {
  PutRamp("a", 10'000);
  const std::string content = PutRamp("b", 10'000);
  const auto mount = Start();
  hang_ = true;
  Reader reader(Path("a"));
  ASSERT_TRUE(store_->WaitForInFlight(1, kMountDeadline));
  reader.Kill();
  EXPECT_TRUE(WIFSIGNALED(reader.Wait()));
  hang_ = false;
  EXPECT_TRUE(Read("b") == content);
}

TEST_F(MountTest, EndingItEndsReadsThatWait) {
  PutRamp("a", 10'000);
  auto mount = Start();
  hang_ = true;
  Reader reader(Path("a"));
  ASSERT_TRUE(store_->WaitForInFlight(1, kMountDeadline));
  mount.reset();
  const int status = reader.Wait();
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 1) << "cat got an error";
  EXPECT_FALSE(IsMounted());
}

TEST_F(MountTest, EndsAlsoWithFilesOpen) {
  PutRamp("a", 10'000);
  auto mount = Start();
  const UniqueFd fd(open(Path("a").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(fd);
  EXPECT_TRUE(IsMounted());
  mount.reset();
  EXPECT_FALSE(IsMounted());
  char byte = 0;
  EXPECT_EQ(pread(fd.get(), &byte, 1, 0), -1);
}

TEST_F(MountTest, SaysWhenSomebodyElseUnmountedIt) {
  Put("a", "x");
  const auto mount = Start();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(mount->WaitUntilGone(stop.get_token()));
  ASSERT_EQ(umount2(folder_.c_str(), 0), 0);
  EXPECT_TRUE(mount->WaitUntilGone({}));
}

TEST_F(MountTest, AFolderThatIsNotEmptyIsRefused) {
  Put("a", "x");
  temp_.Put("mount/mine", "precious");
  const Error error = ErrorOf([&] { Start(); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("not empty"));
}

TEST_F(MountTest, AStaleMountIsNamedWithTheCommandThatRemovesIt) {
  // A mount whose other end is closed is what a killed process leaves.
  fs::create_directories(folder_);
  UniqueFd device(open("/dev/fuse", O_RDWR | O_CLOEXEC));
  const std::string options = "fd=" + std::to_string(device.get()) + ",rootmode=40000,user_id=0,group_id=0";
  if (::mount("stale", folder_.c_str(), "fuse", MS_RDONLY, options.c_str()) != 0)
    GTEST_SKIP() << "needs root";
  device.Close();
  const Error error = ErrorOf([&] { PrepareMountFolder(folder_); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("fusermount3 -u '" + folder_ + "'"));
}

TEST(MountFolderTest, WithoutADeviceTheErrorNamesThePackage) {
  const TempFolder temp;
  const Error error = ErrorOf([&] { CheckFuseDevice(temp.Path("no-such-device")); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(), HasSubstr("package fuse3"));
  EXPECT_THAT(error.what(), HasSubstr("--device /dev/fuse"));
}

TEST(MountFolderTest, ADeviceThatMayNotBeOpenedIsAMatterOfPermission) {
  const TempFolder temp;
  const Error error =
      ErrorOf([&] { CheckFuseDevice(temp.path()); });  // a folder is not opened for writing either
  EXPECT_EQ(error.code(), ErrorCode::kPermissionDenied);
  EXPECT_THAT(error.what(), HasSubstr("permission of the device"));
}

}  // namespace
}  // namespace bucketline
