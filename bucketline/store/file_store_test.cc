// What is particular to files: links, folders, temporary files, changes by others. The rest is in
// tests/contract.
#include "bucketline/store/file_store.h"

#include <filesystem>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/file_paths.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> KeysOf(ObjectStore& store) {
  std::vector<std::string> keys;
  for (const ObjectInfo& object : ListAll(store, "")) keys.push_back(object.key);
  return keys;
}

Result<Bytes> TryGet(ObjectStore& store, std::string_view key) {
  return Catch([&] { return GetBytes(store, key); });
}

class FileStoreTest : public ::testing::Test {
 protected:
  // The store's root is a folder inside of `folder`, so that there is an outside to lead to.
  FileStoreTest() { folder.Put("outside/secret", "secret"); }

  testing::TempFolder folder;
  std::string root = folder.Path("root");
  std::unique_ptr<ObjectStore> store = MakeFileStore(root);
};

TEST_F(FileStoreTest, KeysAreRelativePaths) {
  folder.Put("root/a/b.txt", "hello");
  EXPECT_EQ(GetBytes(*store, "a/b.txt").view(), "hello");
  PutBytes(*store, "c/d/e", "made");
  EXPECT_TRUE(fs::is_regular_file(folder.Path("root/c/d/e")));
  EXPECT_EQ(store->UriOf("a/b.txt"), root + "/a/b.txt");
  EXPECT_EQ(MakeFileStore("/")->UriOf("a"), "/a");
}

TEST_F(FileStoreTest, AMissingRootIsNotFoundUntilItIsWrittenTo) {
  EXPECT_EQ(TryGet(*store, "k").error().code(), ErrorCode::kNotFound);
  const auto listed = Catch([&] { return ListAll(*store, ""); });
  ASSERT_FALSE(listed.ok());
  EXPECT_EQ(listed.error().code(), ErrorCode::kNotFound);
  EXPECT_NO_THROW(DeleteObject(*store, "k"));
  PutBytes(*store, "k", "x");
  EXPECT_THAT(KeysOf(*store), ElementsAre("k"));
}

TEST_F(FileStoreTest, ARootThatIsAFileIsNotFound) {
  folder.Put("root", "a file");
  EXPECT_FALSE(Catch([&] { return ListAll(*store, ""); }).ok());
  EXPECT_THROW(store->OpenWriter("k"), Error);
}

TEST_F(FileStoreTest, LinksInsideOfTheRootAreFollowed) {
  folder.Put("root/data/a", "content");
  fs::create_symlink("data/a", folder.Path("root/relative"));
  fs::create_symlink(folder.Path("root/data/a"), folder.Path("root/absolute"));
  fs::create_directory_symlink("data", folder.Path("root/linked"));
  for (const std::string key : {"relative", "absolute", "linked/a"}) {
    EXPECT_EQ(GetBytes(*store, key).view(), "content") << key;
    EXPECT_EQ(HeadObject(*store, key).etag, HeadObject(*store, "data/a").etag) << key;
  }
  EXPECT_THAT(KeysOf(*store), ElementsAre("absolute", "data/a", "linked/a", "relative"));
}

TEST_F(FileStoreTest, ARootThatIsALinkIsFine) {
  folder.Put("root/k", "x");
  fs::create_directory_symlink(root, folder.Path("alias"));
  const auto alias = MakeFileStore(folder.Path("alias"));
  EXPECT_EQ(GetBytes(*alias, "k").view(), "x");
  EXPECT_THAT(KeysOf(*alias), ElementsAre("k"));
}

TEST_F(FileStoreTest, LinksOutOfTheRootLeadNowhere) {
  folder.Put("root/in", "x");
  fs::create_symlink(folder.Path("outside/secret"), folder.Path("root/file"));
  fs::create_symlink("../outside/secret", folder.Path("root/relative"));
  fs::create_directory_symlink("../outside", folder.Path("root/folder"));
  fs::create_symlink("nowhere", folder.Path("root/dangling"));
  for (const std::string key : {"file", "relative", "folder/secret"}) {
    EXPECT_EQ(TryGet(*store, key).error().code(), ErrorCode::kInvalidArgument) << key;
    EXPECT_EQ(Catch([&] { return HeadObject(*store, key); }).error().code(), ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(TryGet(*store, "dangling").error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(KeysOf(*store), ElementsAre("in"));

  EXPECT_THROW(DeleteObject(*store, "folder/secret"), Error);
  const auto written = Catch([&] { PutBytes(*store, "folder/new/k", "x"); });
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(written.error().what(), HasSubstr("outside"));
  EXPECT_TRUE(fs::exists(folder.Path("outside/secret")));
  EXPECT_FALSE(fs::exists(folder.Path("outside/new"))) << "made something outside";
}

TEST_F(FileStoreTest, ASiblingWithTheRootsNameAsPrefixIsOutside) {
  folder.Put("root/in", "x");
  folder.Put("root-2/secret", "x");
  fs::create_symlink("../root-2/secret", folder.Path("root/link"));
  EXPECT_EQ(TryGet(*store, "link").error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(FileStoreTest, OverwritingOrDeletingALinkLeavesItsTarget) {
  folder.Put("root/in", "x");
  fs::create_symlink(folder.Path("outside/secret"), folder.Path("root/a"));
  fs::create_symlink(folder.Path("outside/secret"), folder.Path("root/b"));
  PutBytes(*store, "a", "mine");
  DeleteObject(*store, "b");
  EXPECT_EQ(GetBytes(*store, "a").view(), "mine");
  EXPECT_THAT(KeysOf(*store), ElementsAre("a", "in"));
  EXPECT_EQ(GetBytes(*MakeFileStore(folder.Path("outside")), "secret").view(), "secret");
}

TEST_F(FileStoreTest, LoopsOfLinksEnd) {
  folder.Put("root/d/e/k", "x");
  fs::create_directory_symlink("..", folder.Path("root/d/e/up"));
  fs::create_directory_symlink(root, folder.Path("root/d/top"));
  fs::create_symlink("self", folder.Path("root/self"));
  EXPECT_THAT(KeysOf(*store), ElementsAre("d/e/k"));
  EXPECT_EQ(TryGet(*store, "self").error().code(), ErrorCode::kNotFound);
}

TEST_F(FileStoreTest, PipesAreNoObjectsAndNobodyWaitsForThem) {
  folder.Put("root/k", "x");
  ASSERT_EQ(::mkfifo(folder.Path("root/pipe").c_str(), 0600), 0);
  EXPECT_EQ(TryGet(*store, "pipe").error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(KeysOf(*store), ElementsAre("k"));
}

TEST_F(FileStoreTest, EmptyFoldersAreNotListedAndCannotBeOverwritten) {
  fs::create_directories(folder.Path("root/empty/inner"));
  EXPECT_THAT(KeysOf(*store), IsEmpty());
  for (const bool if_absent : {false, true}) {
    const auto put = Catch([&] { PutBytes(*store, "empty", "x", {.if_absent = if_absent}); });
    ASSERT_FALSE(put.ok());
    EXPECT_EQ(put.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(put.error().what(), HasSubstr("folder"));
  }
  EXPECT_THAT(KeysOf(*store), IsEmpty());
}

TEST_F(FileStoreTest, AbortRemovesTheTemporaryFileAndTheFoldersMadeForIt) {
  folder.Put("root/kept/k", "x");
  {
    const auto writer = store->OpenWriter("kept/new/deep/k2");
    EXPECT_TRUE(fs::exists(folder.Path("root/kept/new/deep")));
    EXPECT_THAT(KeysOf(*store), ElementsAre("kept/k")) << "temporary files are hidden";
  }
  EXPECT_FALSE(fs::exists(folder.Path("root/kept/new")));
  EXPECT_TRUE(fs::exists(folder.Path("root/kept")));
}

TEST_F(FileStoreTest, AbortLeavesFoldersThatOthersUseByNow) {
  const auto aborted = store->OpenWriter("d/e/one");
  PutBytes(*store, "d/two", "x");
  aborted->Abort();
  EXPECT_FALSE(fs::exists(folder.Path("root/d/e")));
  EXPECT_THAT(KeysOf(*store), ElementsAre("d/two"));
}

TEST_F(FileStoreTest, AFailedCommitLeavesNothing) {
  PutBytes(*store, "k", "old");
  const auto writer = store->OpenWriter("k", {.if_absent = true});
  const auto committed = Catch([&] { return writer->Commit(); });
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().uri(), store->UriOf("k"));
  size_t files = 0;
  for ([[maybe_unused]] const auto& file : fs::directory_iterator(root)) ++files;
  EXPECT_EQ(files, 1u) << "a temporary file was left";
}

TEST_F(FileStoreTest, TemporaryFilesOfKilledWritersAreHidden) {
  folder.Put("root/d/" + MakeTempName(), "half");
  EXPECT_THAT(KeysOf(*store), IsEmpty());
}

TEST_F(FileStoreTest, TheETagFollowsInodeSizeAndTime) {
  folder.Put("root/k", "12345");
  const std::string etag = HeadObject(*store, "k").etag;
  EXPECT_EQ(etag.front(), '"');
  EXPECT_EQ(etag.back(), '"');
  struct timespec times[2] = {{1, 0}, {1'000'000'000, 1}};
  ASSERT_EQ(::utimensat(AT_FDCWD, folder.Path("root/k").c_str(), times, 0), 0);
  const ObjectInfo touched = HeadObject(*store, "k");
  EXPECT_NE(touched.etag, etag);
  EXPECT_EQ(touched.last_modified.time_since_epoch(), Duration(1'000'000'000'000'000'001));
  folder.Put("root/k2", "12345");
  ASSERT_EQ(::utimensat(AT_FDCWD, folder.Path("root/k2").c_str(), times, 0), 0);
  EXPECT_NE(HeadObject(*store, "k2").etag, touched.etag) << "two files are two states";
}

// Does something to the file when the bytes are about to be read.
class MeddlingSink : public testing::VectorSink {
 public:
  explicit MeddlingSink(std::function<void()> meddle) : meddle_(std::move(meddle)) {}
  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo& object) override {
    meddle_();
    return VectorSink::Begin(size, object);
  }

 private:
  std::function<void()> meddle_;
};

Result<ObjectInfo> GetMeanwhile(ObjectStore& store, const std::string& key, std::function<void()> meddle) {
  testing::Completion<ObjectInfo> completion;
  store.Get(testing::Whole(key), std::make_shared<MeddlingSink>(std::move(meddle)), completion.Done());
  return completion.Wait();
}

TEST_F(FileStoreTest, AFileThatShrinksUnderTheReadIsAnError) {
  folder.Put("root/k", std::string(100'000, 'x'));
  const auto got = GetMeanwhile(*store, "k", [&] { fs::resize_file(folder.Path("root/k"), 50'000); });
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), ErrorCode::kObjectChanged);
  EXPECT_EQ(got.error().uri(), store->UriOf("k"));
}

TEST_F(FileStoreTest, AFileThatIsRewrittenUnderTheReadIsAnError) {
  folder.Put("root/k", std::string(1000, 'x'));
  struct timespec times[2] = {{1, 0}, {1, 0}};  // long ago, so that any write shows
  ASSERT_EQ(::utimensat(AT_FDCWD, folder.Path("root/k").c_str(), times, 0), 0);
  const auto got = GetMeanwhile(*store, "k", [&] { folder.Put("root/k", std::string(1000, 'y')); });
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), ErrorCode::kObjectChanged);
}

TEST_F(FileStoreTest, AFileThatIsReplacedOrDeletedUnderTheReadIsReadToItsEnd) {
  for (const bool replace : {true, false}) {
    PutBytes(*store, "k", "old content");
    const auto got = GetMeanwhile(*store, "k", [&] {
      if (replace) {
        PutBytes(*store, "k", "new");
      } else {
        fs::remove(folder.Path("root/k"));
      }
    });
    EXPECT_TRUE(got.ok()) << replace;
  }
}

TEST_F(FileStoreTest, WhatMayNotBeReadIsPermissionDenied) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  folder.Put("root/k", "x");
  folder.Put("root/d/k", "x");
  fs::permissions(folder.Path("root/k"), fs::perms::none);
  EXPECT_EQ(TryGet(*store, "k").error().code(), ErrorCode::kPermissionDenied);
  fs::permissions(folder.Path("root/d"), fs::perms::none);
  const auto listed = Catch([&] { return ListAll(*store, ""); });
  fs::permissions(folder.Path("root/d"), fs::perms::owner_all);
  ASSERT_FALSE(listed.ok());
  EXPECT_EQ(listed.error().code(), ErrorCode::kPermissionDenied);
  EXPECT_THAT(listed.error().what(), HasSubstr("d/"))
      << "a folder that cannot be listed is never left out silently";
}

}  // namespace
}  // namespace bucketline
