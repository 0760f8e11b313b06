// The tree, the archive and the upload of artefacts; archives are read back by the system's own tar and gzip.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "bucketline/base/error.h"
#include "bucketline/base/temp_folder.h"
#include "bucketline/job/artifact_header.h"
#include "bucketline/job/artifact_tree.h"
#include "bucketline/job/artifact_upload.h"
#include "bucketline/records/tar_header.h"
#include "bucketline/s3/child_process.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Names(const ArtifactTree& tree) {
  std::vector<std::string> names;
  for (const ArtifactEntry& entry : tree.entries) names.push_back(entry.name);
  return names;
}

std::string Text(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int64_t Modified(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 ? int64_t{status.st_mtime} : -1;
}

class ArtifactTest : public ::testing::Test {
 protected:
  // Unpacks the object with tar; the folder it is in.
  std::string Unpack(const std::string& key) const {
    folder_.Put("archive.tar.gz", Text(GetBytes(*store_, key)));
    std::filesystem::create_directory(folder_.Path("unpacked"));
    const ChildResult result =
        RunChild({"tar", "-xpzf", folder_.Path("archive.tar.gz"), "-C", folder_.Path("unpacked")}, "tar",
                 std::chrono::seconds(120), 4096, {});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    return folder_.Path("unpacked");
  }

  const testing::TempFolder folder_;
  const std::shared_ptr<ObjectStore> store_ = MakeMemoryStore("b");
};

TEST_F(ArtifactTest, HostsAreMerged) {
  folder_.Put("1/a/x", "1");
  folder_.Put("2/a/y", "22");
  std::filesystem::create_directory(folder_.Path("2/empty"));
  EXPECT_THAT(Names(CollectArtifacts({folder_.Path("1"), folder_.Path("2")})),
              ElementsAre("a", "a/x", "a/y", "empty"));
}

TEST_F(ArtifactTest, TheSameNameOfTwoHostsIsAnError) {
  folder_.Put("1/a/x", "1");
  folder_.Put("2/a/x", "1");
  try {
    CollectArtifacts({folder_.Path("1"), folder_.Path("2")});
    FAIL() << "names must not clash";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kAlreadyExists);
    EXPECT_EQ(error.uri(), folder_.Path("2/a/x"));
    EXPECT_THAT(error.message(), HasSubstr(folder_.Path("1/a/x")));
  }
  folder_.Put("3/a", "a file, and a folder of the others");
  EXPECT_THROW(CollectArtifacts({folder_.Path("1"), folder_.Path("3")}), Error);
}

TEST_F(ArtifactTest, WhatNoArchiveHoldsIsSkipped) {
  folder_.Put("1/x", "1");
  ASSERT_EQ(mkfifo(folder_.Path("1/fifo").c_str(), 0600), 0);
  const ArtifactTree tree = CollectArtifacts({folder_.Path("1")});
  EXPECT_THAT(Names(tree), ElementsAre("x"));
  EXPECT_THAT(tree.skipped, ElementsAre(folder_.Path("1/fifo")));
}

TEST_F(ArtifactTest, AMissingFolderIsNamed) {
  try {
    CollectArtifacts({folder_.Path("none")});
    FAIL() << "there is no such folder";
  } catch (const Error& error) {
    EXPECT_EQ(error.uri(), folder_.Path("none"));
  }
}

TEST_F(ArtifactTest, AnArchiveHoldsEverything) {
  const std::string deep(200, 'd');
  const std::vector<uint8_t> large = testing::RampBytes(3'000'001);
  const std::map<std::string, std::string> files = {
      {"empty", ""},
      {"block", std::string(512, 'b')},
      {"large.bin", {large.begin(), large.end()}},
      {deep + "/" + deep + "/file", "deep"},
      {std::string(100, 'n'), "as long as the field"},
      {"\xC3\xBC ber", "not ASCII"},
  };
  for (const auto& [name, content] : files) folder_.Put("m/" + name, content);
  std::filesystem::create_directory(folder_.Path("m/hollow"));
  std::filesystem::create_symlink("block", folder_.Path("m/link"));
  std::filesystem::create_symlink(std::string(150, 't'), folder_.Path("m/long link"));
  std::filesystem::permissions(folder_.Path("m/block"), std::filesystem::perms(0750));

  const ObjectInfo info = UploadArchive(CollectArtifacts({folder_.Path("m")}), *store_, "out/model.tar.gz");
  EXPECT_GT(info.size, 0u);
  const std::string unpacked = Unpack("out/model.tar.gz");
  for (const auto& [name, content] : files) EXPECT_EQ(Content(unpacked + "/" + name), content) << name;
  EXPECT_TRUE(std::filesystem::is_directory(unpacked + "/hollow"));
  EXPECT_EQ(std::filesystem::read_symlink(unpacked + "/link"), "block");
  EXPECT_EQ(std::filesystem::read_symlink(unpacked + "/long link"), std::string(150, 't'));
  EXPECT_EQ(std::filesystem::status(unpacked + "/block").permissions(), std::filesystem::perms(0750));
  EXPECT_EQ(Modified(unpacked + "/block"), Modified(folder_.Path("m/block")));
}

TEST_F(ArtifactTest, AnEmptyTreeIsAnArchiveToo) {
  std::filesystem::create_directory(folder_.Path("m"));
  UploadArchive(CollectArtifacts({folder_.Path("m")}), *store_, "model.tar.gz");
  EXPECT_TRUE(std::filesystem::is_empty(Unpack("model.tar.gz")));
}

TEST_F(ArtifactTest, SizesBeyondUstarAreTold) {
  const std::string header = ArtifactHeader({.name = "big", .path = "", .size = uint64_t{1} << 33});
  EXPECT_EQ(header.size(), 3 * kTarBlock);
  EXPECT_EQ(header.substr(kTarBlock, 19), "19 size=8589934592\n");
  EXPECT_EQ(ArtifactHeader({.name = "big", .path = "", .size = (uint64_t{1} << 33) - 1}).size(), kTarBlock);
}

TEST_F(ArtifactTest, TimesBeyondUstarAreItsFirstAndItsLast) {
  const auto time_of = [](int64_t modified) {
    return ArtifactHeader({.name = "a", .path = "", .modified = modified}).substr(136, 12);
  };
  EXPECT_EQ(time_of(-1), std::string("00000000000\0", 12));
  EXPECT_EQ(time_of(int64_t{1} << 40), std::string("77777777777\0", 12));
}

TEST_F(ArtifactTest, AFileThatShrankIsNoArtefact) {
  folder_.Put("m/x", "12345");
  const ArtifactTree tree = CollectArtifacts({folder_.Path("m")});
  folder_.Put("m/x", "123");
  try {
    UploadArchive(tree, *store_, "model.tar.gz");
    FAIL() << "half a file is no file";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kObjectChanged);
    EXPECT_EQ(error.uri(), folder_.Path("m/x"));
  }
  EXPECT_THROW(HeadObject(*store_, "model.tar.gz"), Error);
}

TEST_F(ArtifactTest, AFileThatGrewIsCut) {
  folder_.Put("m/x", "123");
  const ArtifactTree tree = CollectArtifacts({folder_.Path("m")});
  folder_.Put("m/x", "12345");
  UploadArchive(tree, *store_, "model.tar.gz");
  EXPECT_EQ(Content(Unpack("model.tar.gz") + "/x"), "123");
}

TEST_F(ArtifactTest, FilesAsTheyAre) {
  folder_.Put("m/a/x", "1");
  folder_.Put("m/y", "22");
  std::filesystem::create_symlink("y", folder_.Path("m/link"));
  std::filesystem::create_symlink("nothing", folder_.Path("m/broken"));
  UploadFiles(CollectArtifacts({folder_.Path("m")}), *store_, "out/model/");
  std::map<std::string, std::string> found;
  for (const ObjectInfo& object : ListAll(*store_, ""))
    found[object.key] = Text(GetBytes(*store_, object.key));
  EXPECT_EQ(found, (std::map<std::string, std::string>{
                       {"out/model/a/x", "1"}, {"out/model/link", "22"}, {"out/model/y", "22"}}));
}

TEST_F(ArtifactTest, AStopEndsAnUpload) {
  folder_.Put("m/x", "1");
  std::stop_source stop;
  stop.request_stop();
  try {
    UploadArchive(CollectArtifacts({folder_.Path("m")}), *store_, "model.tar.gz", stop.get_token());
    FAIL() << "it was stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
}

}  // namespace
}  // namespace bucketline
