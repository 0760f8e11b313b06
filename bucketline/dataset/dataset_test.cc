#include "bucketline/dataset/dataset.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::Bucket;
using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;

std::vector<std::string> KeysOf(const Dataset& dataset) {
  std::vector<std::string> keys;
  for (uint64_t i = 0; i < dataset.size(); ++i) keys.push_back(dataset.Key(i));
  return keys;
}

TEST(Dataset, ListsWhatLiesBelowThePrefixInOrder) {
  Bucket bucket;
  bucket.Put("train/b.jpg", "bb");
  bucket.Put("train/a.jpg", "a");
  bucket.Put("test/c.jpg", "c");
  const Dataset dataset = bucket.Open("mem://data/train/");
  EXPECT_THAT(KeysOf(dataset), ElementsAre("train/a.jpg", "train/b.jpg"));
  EXPECT_EQ(dataset.UriAt(1), "mem://data/train/b.jpg");
  EXPECT_EQ(dataset.source(), "mem://data/train/");
  EXPECT_EQ(dataset.total_bytes(), 3u);
  EXPECT_EQ(dataset.largest_record(), 2u);
  EXPECT_EQ(dataset.largest_record_uri(), "mem://data/train/b.jpg");
  EXPECT_EQ(dataset.RecordBytes(0), 1u);
  EXPECT_EQ(dataset.RecordAt(1).parts.front().object_key, "train/b.jpg");
  EXPECT_EQ(dataset.label_kind(), LabelKind::kNone);
  EXPECT_EQ(&dataset.runtime(), &bucket.runtime());
}

TEST(Dataset, ExtensionsAreComparedWithoutCase) {
  Bucket bucket;
  for (const char* key : {"a.JPG", "b.Jpeg", "c.png", "d.txt", "jpg"}) bucket.Put(key, "x");
  EXPECT_THAT(KeysOf(bucket.Open()), ElementsAre("a.JPG", "b.Jpeg", "c.png"));
  EXPECT_THAT(KeysOf(bucket.Open("mem://data/", {.extensions = {".TXT"}})), ElementsAre("d.txt"));
}

TEST(Dataset, FolderMarkersAndEmptyObjectsCountOnlyWhenEverythingDoes) {
  Bucket bucket;
  bucket.Put("a/", "");
  bucket.Put("b.jpg/", "marker with bytes");
  bucket.Put("empty.jpg", "");
  bucket.Put("full.jpg", "x");
  EXPECT_THAT(KeysOf(bucket.Open("mem://data/", {.extensions = {".jpg", "/"}})), ElementsAre("full.jpg"));
  EXPECT_THAT(KeysOf(bucket.Open("mem://data/", {.extensions = {}})),
              ElementsAre("a/", "b.jpg/", "empty.jpg", "full.jpg"));
}

TEST(Dataset, NothingThereIsNotFound) {
  Bucket bucket;
  bucket.Put("a.jpg", "x");
  const Error error = ErrorOf([&] { bucket.Open("mem://data/nowhere/"); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("mem://data/nowhere/"));
}

TEST(Dataset, NothingOfTheseExtensionsNamesWhatIsThere) {
  Bucket bucket;
  bucket.Put("a.webp", "x");
  bucket.Put("b.jpg", "");
  const Error error = ErrorOf([&] { bucket.Open(); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("2 objects"), HasSubstr("a.webp"), HasSubstr("b.jpg\" (empty)"),
                                  HasSubstr(".jpeg")));
}

TEST(Dataset, ListingGoesPageAfterPage) {
  Bucket bucket;
  for (int i = 0; i < 2345; ++i) bucket.Put("k" + std::to_string(i) + ".jpg", "x");
  bucket.Put("z.txt", "not a record, but listed");
  std::vector<uint64_t> progress;
  const Dataset dataset =
      bucket.Open("mem://data/", {.listing_progress = [&](uint64_t count) { progress.push_back(count); }});
  EXPECT_EQ(dataset.size(), 2345u);
  EXPECT_THAT(progress, ElementsAre(1000, 2000, 2346));
}

TEST(Dataset, FolderLabels) {
  Bucket bucket;
  for (const char* key : {"train/cat/1.jpg", "train/cat/2.jpg", "train/dog/1.jpg"}) bucket.Put(key, "x");
  // With and without its last "/": the keys say that "train" is a folder.
  for (const char* uri : {"mem://data/train/", "mem://data/train"}) {
    const Dataset dataset = bucket.Open(uri, {.labels = Labels::Folder()});
    EXPECT_EQ(dataset.label_kind(), LabelKind::kClass);
    EXPECT_THAT(dataset.classes(), ElementsAre("cat", "dog"));
    EXPECT_EQ(dataset.LabelInteger(0), 0);
    EXPECT_EQ(dataset.LabelInteger(2), 1);
  }
}

TEST(Dataset, APrefixThatEndsWithinANameLabelsFromItsFolder) {
  Bucket bucket;
  for (const char* key : {"x/train/1.jpg", "x/tree/1.jpg"}) bucket.Put(key, "x");
  const Dataset dataset = bucket.Open("mem://data/x/tr", {.labels = Labels::Folder()});
  EXPECT_THAT(dataset.classes(), ElementsAre("train", "tree"));
}

TEST(Dataset, TableLabelsAreReadFromTheirStore) {
  Bucket bucket;
  std::shared_ptr<ObjectStore> tables = MakeMemoryStore("tables");
  bucket.runtime().AddStore("tables", tables);
  bucket.Put("a.jpg", "x");
  bucket.Put("b.jpg", "x");
  PutBytes(*tables, "t.csv", "file,label\na.jpg,1.5\nb.jpg,2.5\n");
  const Dataset dataset = bucket.Open("mem://data/", {.labels = Labels::Table("mem://tables/t.csv")});
  EXPECT_EQ(dataset.label_kind(), LabelKind::kFloat);
  EXPECT_EQ(dataset.LabelFloat(0), 1.5f);
  EXPECT_EQ(dataset.LabelFloat(1), 2.5f);
  EXPECT_EQ(
      ErrorOf([&] { bucket.Open("mem://data/", {.labels = Labels::Table("mem://tables/none.csv")}); }).code(),
      ErrorCode::kNotFound);
}

TEST(Dataset, VectorLabelsHaveColumns) {
  Bucket bucket;
  bucket.Put("a.jpg", "x");
  bucket.Put("b.jpg", "x");
  bucket.Put("t.json", R"({"a.jpg": [1, 2.5, 3], "b.jpg": [4, 5, 6]})");
  const Dataset dataset = bucket.Open("mem://data/", {.labels = Labels::Table("mem://data/t.json")});
  EXPECT_EQ(dataset.label_kind(), LabelKind::kVector);
  EXPECT_EQ(dataset.label_width(), 3u);
  EXPECT_EQ(dataset.LabelFloat(0, 1), 2.5f);
  EXPECT_EQ(dataset.LabelFloat(1, 2), 6.0f);
}

TEST(Dataset, ASavedManifestOpensWithoutListing) {
  Bucket bucket;
  bucket.Put("train/cat/1.jpg", "1");
  bucket.Put("train/dog/2.jpg", "22");
  const Dataset listed = bucket.Open("mem://data/train/", {.labels = Labels::Folder()});
  listed.Slice(0, 1).Save("mem://data/saved/v1.manifest");  // the whole manifest, not the view
  bucket.Put("train/cat/3.jpg", "3");                       // came later
  const Dataset opened = bucket.Open("mem://data/saved/v1.manifest");
  EXPECT_EQ(KeysOf(opened), KeysOf(listed));
  EXPECT_EQ(opened.fingerprint(), listed.fingerprint());
  EXPECT_EQ(opened.source(), "mem://data/train/");
  EXPECT_THAT(opened.classes(), ElementsAre("cat", "dog"));
  EXPECT_EQ(opened.Read(1).data.ToString(), "22");
}

TEST(Dataset, ADamagedManifestIsNamed) {
  Bucket bucket;
  bucket.Put("cut.manifest", "not a manifest");
  try {
    bucket.Open("mem://data/cut.manifest");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
    EXPECT_EQ(error.uri(), "mem://data/cut.manifest");
  }
}

TEST(Dataset, ASavedManifestMayBeLabelledAnew) {
  Bucket bucket;
  bucket.Put("train/cat/1.jpg", "1");
  bucket.Open("mem://data/").Save("mem://data/all.manifest");
  const Dataset opened = bucket.Open("mem://data/all.manifest", {.labels = Labels::Parent()});
  EXPECT_THAT(opened.classes(), ElementsAre("cat"));
}

TEST(Dataset, SaveAndOpenCheckWhatTheyAreGiven) {
  Bucket bucket;
  bucket.Put("a.jpg", "x");
  const Dataset dataset = bucket.Open();
  EXPECT_THAT(ErrorOf([&] { dataset.Save("mem://data/wrong.bin"); }).what(), HasSubstr(".manifest"));
  bucket.Put("broken.manifest", "not a manifest");
  EXPECT_EQ(ErrorOf([&] { bucket.Open("mem://data/broken.manifest"); }).code(), ErrorCode::kCorruptData);
  EXPECT_EQ(ErrorOf([&] { bucket.Open("mem://data/missing.manifest"); }).code(), ErrorCode::kNotFound);
  EXPECT_EQ(ErrorOf([&] { bucket.Open("ftp://x/y"); }).code(), ErrorCode::kInvalidArgument);
}

TEST(Dataset, ReadsOneRecord) {
  Bucket bucket;
  bucket.Put("train/a.jpg", "bytes of a");
  const Sample sample = bucket.Open().Read(0);
  EXPECT_EQ(sample.key, "train/a.jpg");
  EXPECT_EQ(sample.uri, "mem://data/train/a.jpg");
  EXPECT_EQ(sample.data.ToString(), "bytes of a");
  EXPECT_EQ(sample.size, 10u);
  EXPECT_FALSE(sample.etag.empty());
}

TEST(Dataset, ReadsAnEmptyRecord) {
  Bucket bucket;
  bucket.Put("empty", "");
  EXPECT_TRUE(bucket.Open("mem://data/", {.extensions = {}}).Read(0).data.empty());
}

TEST(Dataset, AChangedObjectIsAnErrorThatNamesTheRemedy) {
  Bucket bucket;
  bucket.Put("a.jpg", "before");
  const Dataset by_etag = bucket.Open();
  const Dataset by_size = bucket.Open("mem://data/", {.pin = PinMode::kSize});
  bucket.Put("a.jpg", "after!");  // of the same size
  const Error changed = ErrorOf([&] { by_etag.Read(0); });
  EXPECT_EQ(changed.code(), ErrorCode::kObjectChanged);
  EXPECT_THAT(changed.what(),
              AllOf(HasSubstr("mem://data/a.jpg"), HasSubstr("list again"), HasSubstr("pin=\"size\"")));
  EXPECT_EQ(by_size.Read(0).data.ToString(), "after!");
  bucket.Put("a.jpg", "longer than it was");
  const Error grown = ErrorOf([&] { by_size.Read(0); });
  EXPECT_EQ(grown.code(), ErrorCode::kObjectChanged);
  EXPECT_THAT(grown.what(), ::testing::Not(HasSubstr("pin=\"size\"")));
}

TEST(Dataset, AStopEndsOpeningAndReading) {
  Bucket bucket;
  bucket.Put("a.jpg", "x");
  const Dataset dataset = bucket.Open();
  dataset.Save("mem://data/saved.manifest");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(ErrorOf([&] { bucket.Open("mem://data/", {.stop = stop.get_token()}); }).code(),
            ErrorCode::kCancelled);
  EXPECT_EQ(ErrorOf([&] { bucket.Open("mem://data/saved.manifest", {.stop = stop.get_token()}); }).code(),
            ErrorCode::kCancelled);
  EXPECT_EQ(ErrorOf([&] { dataset.Read(0, 0, stop.get_token()); }).code(), ErrorCode::kCancelled);
}

TEST(Dataset, AMissingObjectIsNotFound) {
  Bucket bucket;
  bucket.Put("a.jpg", "x");
  const Dataset dataset = bucket.Open();
  DeleteObject(*bucket.store(), "a.jpg");
  EXPECT_EQ(ErrorOf([&] { dataset.Read(0); }).code(), ErrorCode::kNotFound);
}

TEST(Dataset, FoldersOpenWithAndWithoutTheirSlash) {
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / "bucketline_dataset_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder / "in" / "cat");
  std::filesystem::create_directories(folder / "in2");
  std::ofstream(folder / "in" / "cat" / "1.jpg") << "one";
  std::ofstream(folder / "in2" / "2.jpg") << "two";
  Runtime runtime(testing::Quiet());
  for (const std::string& uri : {(folder / "in").string(), (folder / "in").string() + "/"}) {
    const Dataset dataset = Dataset::Open(runtime, uri, {.labels = Labels::Folder()});
    ASSERT_EQ(dataset.size(), 1u) << uri;
    EXPECT_EQ(dataset.Read(0).data.ToString(), "one");
    EXPECT_EQ(dataset.UriAt(0), (folder / "in" / "cat" / "1.jpg").string());
    EXPECT_THAT(dataset.classes(), ElementsAre("cat"));
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace bucketline
