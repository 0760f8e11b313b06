#include "bucketline/cache/range_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/temp_folder.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {
namespace {

class RangeLockTest : public ::testing::Test {
 protected:
  UniqueFd Open() {
    return UniqueFd(::open(folder_.Path("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  }

  testing::TempFolder folder_;
  UniqueFd mine_ = Open();
  UniqueFd theirs_ = Open();
};

TEST_F(RangeLockTest, AnExclusiveOneKeepsEverybodyElseOut) {
  const auto lock = RangeLock::Try(mine_.get(), 7, LockKind::kExclusive);
  ASSERT_TRUE(lock);
  EXPECT_FALSE(RangeLock::Try(theirs_.get(), 7, LockKind::kExclusive));
  EXPECT_FALSE(RangeLock::Try(theirs_.get(), 7, LockKind::kShared));
  EXPECT_TRUE(RangeLock::Try(theirs_.get(), 6, LockKind::kExclusive)) << "another byte";
  EXPECT_TRUE(RangeLock::Try(theirs_.get(), 8, LockKind::kExclusive)) << "another byte";
}

TEST_F(RangeLockTest, SharedOnesKeepOnlyTheExclusiveOut) {
  const auto lock = RangeLock::Try(mine_.get(), 7, LockKind::kShared);
  ASSERT_TRUE(lock);
  EXPECT_TRUE(RangeLock::Try(theirs_.get(), 7, LockKind::kShared));
  EXPECT_FALSE(RangeLock::Try(theirs_.get(), 7, LockKind::kExclusive));
}

TEST_F(RangeLockTest, EndsWithItsObject) {
  {
    const auto lock = RangeLock::Try(mine_.get(), 7, LockKind::kExclusive);
  }
  EXPECT_TRUE(RangeLock::Try(theirs_.get(), 7, LockKind::kExclusive));
}

TEST_F(RangeLockTest, MovesWithItsObject) {
  auto first = RangeLock::Try(mine_.get(), 1, LockKind::kExclusive);
  auto second = RangeLock::Try(mine_.get(), 2, LockKind::kExclusive);
  const RangeLock moved = *std::move(first);
  first.reset();
  EXPECT_FALSE(RangeLock::Try(theirs_.get(), 1, LockKind::kShared)) << "it is held where it went";
  *second = *RangeLock::Try(mine_.get(), 3, LockKind::kExclusive);
  EXPECT_TRUE(RangeLock::Try(theirs_.get(), 2, LockKind::kShared)) << "what was assigned to is given up";
  EXPECT_FALSE(RangeLock::Try(theirs_.get(), 3, LockKind::kShared));
}

TEST_F(RangeLockTest, AWaitEndsWithTheDeadline) {
  auto lock = RangeLock::Try(mine_.get(), 7, LockKind::kExclusive);
  EXPECT_FALSE(RangeLock::Wait(theirs_.get(), 7, LockKind::kShared, std::chrono::milliseconds(5)));
  lock.reset();
  EXPECT_TRUE(RangeLock::Wait(theirs_.get(), 7, LockKind::kShared, Duration(0)));
}

TEST_F(RangeLockTest, OthersAreSeenAndOneselfIsNot) {
  const auto lock = RangeLock::Try(theirs_.get(), 7, LockKind::kShared);
  EXPECT_TRUE(RangeLock::HeldByOthers(mine_.get(), 5, 3));
  EXPECT_FALSE(RangeLock::HeldByOthers(mine_.get(), 5, 2));
  EXPECT_FALSE(RangeLock::HeldByOthers(mine_.get(), 8, 3));
  EXPECT_FALSE(RangeLock::HeldByOthers(theirs_.get(), 5, 3));
}

TEST_F(RangeLockTest, AFileThatIsNotOpenIsAnError) {
  EXPECT_THROW(RangeLock::Try(-1, 0, LockKind::kShared), Error);
  EXPECT_THROW(RangeLock::HeldByOthers(-1, 0, 1), Error);
}

}  // namespace
}  // namespace bucketline
