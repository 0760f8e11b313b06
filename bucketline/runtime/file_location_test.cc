#include "bucketline/runtime/file_location.h"

#include <filesystem>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

TEST(FileLocation, AbsolutePathsLieBelowTheRoot) {
  EXPECT_EQ(LocateFile("/data/train/"), (FileLocation{"/", "data/train/"}));
  EXPECT_EQ(LocateFile("/data//a/./b/../c.jpg"), (FileLocation{"/", "data/a/c.jpg"}));
  EXPECT_EQ(LocateFile("/"), (FileLocation{"/", ""}));
}

TEST(FileLocation, RelativePathsLieBelowTheCurrentFolder) {
  EXPECT_EQ(LocateFile("data/train/"), (FileLocation{".", "data/train/"}));
  EXPECT_EQ(LocateFile("./data/a.jpg"), (FileLocation{".", "data/a.jpg"}));
  EXPECT_EQ(LocateFile("."), (FileLocation{".", ""}));
  EXPECT_EQ(LocateFile("./"), (FileLocation{".", ""}));
}

TEST(FileLocation, LeavingTheCurrentFolderMakesItAbsolute) {
  const auto parent = std::filesystem::current_path().parent_path() / "other" / "a.jpg";
  EXPECT_EQ(LocateFile("../other/a.jpg"), (FileLocation{"/", parent.relative_path().string()}));
}

}  // namespace
}  // namespace bucketline
