#include "bucketline/job/host_layout.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/temp_folder.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;

TEST(HostLayoutTest, ContainerPathsLieBelowTheRoot) {
  const HostLayout layout("/jobs/x");
  EXPECT_EQ(layout.channel("train"), "/jobs/x/input/data/train");
  EXPECT_EQ(layout.Here("/opt/ml/checkpoints//"), "/jobs/x/checkpoints");
  EXPECT_EQ(HostLayout("/opt/ml").Here("/opt/ml/a/b"), "/opt/ml/a/b");
}

TEST(HostLayoutTest, SeveralHostsHaveFoldersOfTheirOwn) {
  EXPECT_EQ(HostLayouts("/r", 1).at(0).root(), "/r");
  const std::vector<HostLayout> two = HostLayouts("/r", 2);
  EXPECT_EQ(two.at(0).root(), "/r/algo-1");
  EXPECT_EQ(two.at(1).root(), "/r/algo-2");
  EXPECT_THAT(HostNames(11), ElementsAre("algo-1", "algo-10", "algo-11", "algo-2", "algo-3", "algo-4",
                                         "algo-5", "algo-6", "algo-7", "algo-8", "algo-9"));
}

TEST(HostLayoutTest, AJobBeginsWithEmptyFolders) {
  const testing::TempFolder folder;
  const HostLayout layout(folder.path());
  folder.Put("code/train.py", "pass");
  MakeLayout(layout, layout.Here("/opt/ml/checkpoints"), false);
  for (const std::string& path : {layout.config(), layout.data(), layout.model(), layout.output_data(),
                                  layout.output_intermediate(), folder.Path("checkpoints")}) {
    EXPECT_TRUE(std::filesystem::is_directory(path)) << path;
  }
  EXPECT_FALSE(std::filesystem::exists(layout.failure()));
}

TEST(HostLayoutTest, WhatAnEarlierJobLeftIsNeverMixedIn) {
  const testing::TempFolder folder;
  const HostLayout layout(folder.path());
  folder.Put("model/weights", "old");
  folder.Put("code/train.py", "pass");
  try {
    MakeLayout(layout, folder.Path("checkpoints"), false);
    FAIL() << "an old model must be refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kAlreadyExists);
    EXPECT_EQ(error.uri(), layout.model());
  }
  MakeLayout(layout, folder.Path("checkpoints"), true);
  EXPECT_TRUE(std::filesystem::is_empty(layout.model()));
  EXPECT_TRUE(std::filesystem::exists(folder.Path("code/train.py")));
}

TEST(HostLayoutTest, APlaceThatCannotBeMadeIsNamed) {
  const testing::TempFolder folder;
  folder.Put("file", "");
  try {
    MakeLayout(HostLayout(folder.Path("file")), folder.Path("checkpoints"), false);
    FAIL() << "a file is no folder";
  } catch (const Error& error) {
    EXPECT_EQ(error.uri(), folder.Path("file/input"));
  }
}

}  // namespace
}  // namespace bucketline
