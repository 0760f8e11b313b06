#include "bucketline/cache/counter_file.h"

#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/temp_folder.h"

namespace bucketline {
namespace {

class CounterFileTest : public ::testing::Test {
 protected:
  void Write(uint64_t value) { WriteFileAt(root_.get(), "counters", &value, sizeof value); }

  testing::TempFolder folder_;
  UniqueFd root_{::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
};

TEST_F(CounterFileTest, WhatIsStoredIsTheFilesAndSharedByAllWhoMapIt) {
  Write(7);
  const UniqueFd file = OpenOfSize(root_.get(), "counters", sizeof(uint64_t));
  ASSERT_TRUE(file);
  CounterFile mine(file, sizeof(uint64_t));
  CounterFile theirs(file, sizeof(uint64_t));
  EXPECT_EQ(*static_cast<uint64_t*>(mine.data()), 7u);
  *static_cast<uint64_t*>(mine.data()) = 8;
  EXPECT_EQ(*static_cast<uint64_t*>(theirs.data()), 8u);
  uint64_t written = 0;
  ASSERT_EQ(::pread(file.get(), &written, sizeof written, 0), static_cast<ssize_t>(sizeof written));
  EXPECT_EQ(written, 8u);
}

TEST_F(CounterFileTest, OnlyAFileOfThatSizeIsOpened) {
  EXPECT_FALSE(OpenOfSize(root_.get(), "counters", sizeof(uint64_t)));
  Write(7);
  EXPECT_FALSE(OpenOfSize(root_.get(), "counters", sizeof(uint64_t) + 1));
  EXPECT_FALSE(OpenOfSize(root_.get(), "counters", sizeof(uint64_t) - 1));
  EXPECT_TRUE(OpenOfSize(root_.get(), "counters", sizeof(uint64_t)));
}

TEST_F(CounterFileTest, AFileIsReplacedWholeAndNothingElseIsLeft) {
  Write(7);
  const UniqueFd before = OpenOfSize(root_.get(), "counters", sizeof(uint64_t));
  Write(8);
  uint64_t kept = 0;
  ASSERT_EQ(::pread(before.get(), &kept, sizeof kept, 0), static_cast<ssize_t>(sizeof kept));
  EXPECT_EQ(kept, 7u) << "who has it open sees no half of another";
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(CounterFileTest, WhatCannotBeWrittenOrOpenedIsAnError) {
  std::filesystem::create_directory(folder_.Path("counters"));
  EXPECT_THROW(Write(7), Error);
  EXPECT_THROW(OpenOfSize(root_.get(), "counters", sizeof(uint64_t)), Error);
  std::filesystem::create_directory(folder_.Path("other.new"));
  EXPECT_THROW(WriteFileAt(root_.get(), "other", "x", 1), Error);
  EXPECT_THROW(CounterFile(UniqueFd(), 8), Error);
}

// Every write is refused there, as by a full disk.
TEST_F(CounterFileTest, AFullDiskShowsAndLeavesNothing) {
  std::filesystem::create_symlink("/dev/full", folder_.Path("counters.new"));
  try {
    Write(7);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

}  // namespace
}  // namespace bucketline
