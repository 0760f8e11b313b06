#include "bucketline/channel/file_channel.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/recording_store.h"

namespace bucketline {
namespace {

using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::TempFolder;
using ::testing::UnorderedElementsAre;

class FileChannelTest : public ::testing::Test {
 protected:
  FileChannelTest() { runtime_.AddStore("data", store_); }

  Fault FaultOf(const StoreCall& call) const {
    if (call.op != StoreOp::kGet || call.key != failing_key_) return Fault::None();
    return Fault::FailBefore(Error(ErrorCode::kUnavailable, "out of order", "mem://data/" + call.key));
  }
  void Put(const std::string& key, const std::string& text) { PutBytes(*memory_, key, text); }

  FileChannelReport Download(const std::string& uri = "mem://data/p/", ChannelHost host = {},
                             FileChannelOptions options = {}) {
    store_->Forget();
    return DownloadChannel(runtime_, {.name = "train", .uri = uri, .sharded = host.count > 1}, host, Folder(),
                           std::move(options));
  }

  std::string Folder() const { return temp_.Path("data/train"); }
  std::string Read(const std::string& name) const {
    std::ifstream file(Folder() + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Folder())) {
      if (entry.is_regular_file()) files.push_back(std::filesystem::relative(entry.path(), Folder()));
    }
    return files;
  }

  const TempFolder temp_;
  const std::shared_ptr<ObjectStore> memory_ = MakeMemoryStore("data");
  std::string failing_key_;
  const std::shared_ptr<RecordingStore> store_ =
      std::make_shared<RecordingStore>(std::make_shared<FaultStore>(
          memory_, [this](const StoreCall& call, uint64_t) { return FaultOf(call); }));
  Runtime runtime_{testing::Quiet()};
};

TEST_F(FileChannelTest, EveryObjectIsAFileNamedByItsKeyBelowThePrefix) {
  Put("p/a.csv", "1");
  Put("p/deep/b.csv", "22");
  Put("p/empty", "");
  Put("p/folder/", "");
  Put("q/other", "3");
  uint64_t seen = 0;
  const FileChannelReport report =
      Download("mem://data/p/", {}, {.progress = [&](uint64_t objects, uint64_t) { seen = objects; }});
  EXPECT_THAT(Files(), UnorderedElementsAre("a.csv", "deep/b.csv", "empty"));
  EXPECT_EQ(Read("a.csv"), "1");
  EXPECT_EQ(Read("deep/b.csv"), "22");
  EXPECT_EQ(report.objects, 3u);
  EXPECT_EQ(report.kept, 0u);
  EXPECT_EQ(report.bytes, 3u);
  EXPECT_EQ(report.downloaded_bytes, 3u);
  EXPECT_EQ(seen, 3u);
}

TEST_F(FileChannelTest, AFolderNeedsNoSlashAndAPrefixMayEndWithinNames) {
  Put("p/train/a", "1");
  Put("p/train/b", "2");
  Download("mem://data/p/train");
  EXPECT_THAT(Files(), UnorderedElementsAre("a", "b"));
  Put("p/tests-1.csv", "3");
  std::filesystem::remove_all(Folder());
  Download("mem://data/p/tests");
  EXPECT_THAT(Files(), UnorderedElementsAre("tests-1.csv"));
  std::filesystem::remove_all(Folder());
  Download("mem://data/p/tests-1.csv");
  EXPECT_THAT(Files(), UnorderedElementsAre("tests-1.csv"));
}

TEST_F(FileChannelTest, AnotherRunKeepsWhatDidNotChange) {
  for (const char* key : {"p/a", "p/b", "p/c", "p/d"}) Put(key, std::string("old ") + key);
  Download();
  Put("p/b", "new p/b");                                        // another object of the same size
  std::ofstream(Folder() + "/c", std::ios::trunc) << "edited";  // another file
  std::filesystem::remove(Folder() + "/d");
  const FileChannelReport report = Download();
  EXPECT_EQ(report.kept, 1u);
  EXPECT_EQ(report.objects, 4u);
  EXPECT_EQ(report.downloaded_bytes, 3 * 7u);
  EXPECT_EQ(store_->CountOf(StoreOp::kGet), 3u);
  EXPECT_EQ(Read("a") + Read("b") + Read("c") + Read("d"), "old p/anew p/bold p/cold p/d");
  EXPECT_EQ(Download().kept, 4u);
  EXPECT_EQ(store_->CountOf(StoreOp::kGet), 0u);
}

TEST_F(FileChannelTest, TheIndexIsBesideTheFolderOrWhereItIsSaidToBe) {
  Put("p/a", "1");
  Download();
  EXPECT_TRUE(std::filesystem::exists(Folder() + ".index"));
  const std::string index = temp_.Path("elsewhere");
  EXPECT_EQ(Download("mem://data/p/", {}, {.index = index}).kept, 0u);
  EXPECT_TRUE(std::filesystem::exists(index));
  EXPECT_EQ(Download("mem://data/p/", {}, {.index = index}).kept, 1u);
}

TEST_F(FileChannelTest, WhatFailedIsFetchedByTheNextRun) {
  for (const char* key : {"p/a", "p/b", "p/c"}) Put(key, "text");
  failing_key_ = "p/b";
  const Error error = ErrorOf([&] { Download(); });
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(error.uri(), "mem://data/p/b");
  EXPECT_THAT(error.message(), HasSubstr("1 of 3 objects failed"));
  EXPECT_THAT(Files(), UnorderedElementsAre("a", "c"));
  failing_key_.clear();
  EXPECT_EQ(Download().kept, 2u);
  EXPECT_THAT(Files(), UnorderedElementsAre("a", "b", "c"));
}

TEST_F(FileChannelTest, KeysThatClashAreOneErrorBeforeTheFirstByte) {
  for (const char* key : {"p/w", "p/w/p", "p/x//y"}) Put(key, "text");
  const Error error = ErrorOf([&] { Download(); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), HasSubstr("2 of 3 keys"));
  EXPECT_EQ(store_->CountOf(StoreOp::kGet), 0u);
  EXPECT_FALSE(std::filesystem::exists(Folder()));
}

TEST_F(FileChannelTest, TooLittleRoomIsAnErrorThatNamesWhatIsNeededAndFree) {
  // A manifest says that the object is larger than any disk.
  ManifestBuilder builder("mem://data/p/");
  Record record{.key = "p/huge", .parts = {}};
  record.parts.push_back({.object_key = "p/huge",
                          .length = uint64_t{1} << 60,
                          .object_size = uint64_t{1} << 60,
                          .etag = "\"e\""});
  builder.Add(std::move(record));
  const Bytes manifest = std::move(builder).Build().ToBytes();
  PutBytes(*memory_, "saved.manifest", manifest.span());
  const Error error = ErrorOf([&] { Download("mem://data/saved.manifest"); });
  EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(error.uri(), Folder());
  EXPECT_THAT(error.message(), HasSubstr("needs 1.0 EiB"));
  EXPECT_THAT(error.message(), HasSubstr("are free"));
}

TEST_F(FileChannelTest, AHostGetsItsShare) {
  for (int i = 0; i < 5; ++i) Put("p/" + std::to_string(i), "x");
  Download("mem://data/p/", {.index = 1, .count = 2});
  EXPECT_THAT(Files(), UnorderedElementsAre("1", "3"));
}

TEST_F(FileChannelTest, AStopIsCancelled) {
  Put("p/a", "1");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(ErrorOf([&] { Download("mem://data/p/", {}, {.objects = {.stop = stop.get_token()}}); }).code(),
            ErrorCode::kCancelled);
}

}  // namespace
}  // namespace bucketline
