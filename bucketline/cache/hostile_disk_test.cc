// A cache on disks that do not do: full, read-only, on the network.
#include <atomic>
#include <mutex>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/base/units.h"
#include "bucketline/cache/cache_report.h"
#include "bucketline/cache/cache_testing.h"
#include "bucketline/cache/caching_store.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/memory_store.h"

namespace {
std::atomic<long> pretended_type{0};  // of every file system; 0: what it is
}  // namespace

// In the place of the C library's, for this program.
extern "C" int fstatfs(int fd, struct statfs* status) noexcept {
  const auto result = static_cast<int>(::syscall(SYS_fstatfs, fd, status));
  if (pretended_type != 0) status->f_type = pretended_type;
  return result;
}

namespace bucketline {
namespace {

using testing::Add;
using ::testing::AllOf;
using testing::Has;
using ::testing::HasSubstr;
using testing::KnownEntry;

class HostileDisk : public ::testing::Test {
 protected:
  // False where this process may not mount.
  bool Mount(const std::string& options, unsigned long flags = 0) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return false;
    mounted_ = ::mount("none", folder_.path().c_str(), "tmpfs", flags, options.c_str()) == 0;
    return mounted_;
  }
  void TearDown() override {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  std::string Path() const { return folder_.Path("cache"); }
  std::shared_ptr<NodeCache> Open(uint64_t limit = 64_MiB) {
    return NodeCache::Open({.folder = Path(), .limit = limit, .log = [this](LogLevel, std::string_view text) {
                              std::lock_guard lock(mutex_);
                              log_.append(text).append("\n");
                            }});
  }
  static std::string ErrorOf(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }

  testing::TempFolder folder_;
  bool mounted_ = false;
  std::mutex mutex_;
  std::string log_;
};

TEST_F(HostileDisk, OneThatIsFullAtTheStartIsAnErrorThatNamesIt) {
  if (!Mount("size=8k")) GTEST_SKIP() << "this process may not mount a file system";
  EXPECT_THAT(ErrorOf([&] { Open(); }), AllOf(HasSubstr(Path()), HasSubstr("No space left"),
                                              HasSubstr("has some room"), HasSubstr("leave the cache out")));
}

TEST_F(HostileDisk, OneWithoutRoomForADatasetIsAnErrorThatNamesIt) {
  if (!Mount("size=24k")) GTEST_SKIP() << "this process may not mount a file system";
  const auto cache = Open();
  EXPECT_THAT(ErrorOf([&] { cache->Use("a"); }),
              AllOf(HasSubstr(Path()), HasSubstr("No space left"), HasSubstr("leave the cache out")));
  EXPECT_EQ(cache->used(), ReadCacheStatus(Path()).used);
}

TEST_F(HostileDisk, OneThatBecomesFullIsSaidAndReadsGoOn) {
  if (!Mount("size=256k")) GTEST_SKIP() << "this process may not mount a file system";
  const auto cache = Open();
  const std::shared_ptr<ObjectStore> far = MakeMemoryStore("far");
  CachingStore store(far, cache, cache->Use("mem://far/"), "mem://far", true);
  for (uint64_t n = 0; n < 60; ++n) {
    const std::vector<uint8_t> bytes = testing::RampBytes(10'000, n);
    const ObjectInfo object = PutBytes(*far, std::to_string(n), bytes);
    for (int turn = 0; turn < 2; ++turn) {
      GetRequest request{.key = std::to_string(n)};
      request.pin = {.etag = object.etag, .size = object.size};
      ASSERT_TRUE(std::ranges::equal(GetBytes(store, std::move(request)).span(), bytes)) << n;
    }
  }
  EXPECT_GT(cache->counters().hits.value(), 5u);
  EXPECT_EQ(cache->counters().failed.value(), 1u) << "then it is left alone for a while";
  EXPECT_GT(cache->counters().full.value(), 10u);
  EXPECT_THAT(log_, AllOf(HasSubstr("No space left"), HasSubstr(Path()), HasSubstr("read from the store")));
  EXPECT_EQ(VerifyCache(Path()).damaged, 0u);
}

TEST_F(HostileDisk, OneThatIsReadOnlyIsAnErrorThatNamesIt) {
  if (!Mount("size=4m")) GTEST_SKIP() << "this process may not mount a file system";
  const auto remount = [&](unsigned long flags) {
    return ::mount("none", folder_.path().c_str(), "tmpfs", MS_REMOUNT | flags, "size=4m") == 0;
  };
  const auto error =
      AllOf(HasSubstr(Path()), HasSubstr("Read-only file system"), HasSubstr("leave the cache out"));
  ASSERT_TRUE(remount(MS_RDONLY));
  EXPECT_THAT(ErrorOf([&] { Open(); }), error) << "there is no folder";
  ASSERT_TRUE(remount(0));
  {
    const auto cache = Open(2_MiB);
    Add(*cache, *cache->Use("a"), KnownEntry(1));
  }
  ASSERT_TRUE(remount(MS_RDONLY));
  EXPECT_THAT(ErrorOf([&] { Open(2_MiB); }), error) << "there is a cache";
}

TEST_F(HostileDisk, OneOnTheNetworkIsAnErrorThatNamesIt) {
  for (const auto& [type, name] :
       {std::pair{0x6969L, "NFS"}, {0xfe534d42L, "SMB"}, {0x0bd00bd0L, "Lustre"}}) {
    pretended_type = type;
    EXPECT_THAT(ErrorOf([&] { Open(); }),
                AllOf(HasSubstr(Path()), HasSubstr(name), HasSubstr("give a folder on a local disk")));
  }
  pretended_type = 0;
  EXPECT_EQ(ErrorOf([&] { Open(); }), "none");
}

}  // namespace
}  // namespace bucketline
