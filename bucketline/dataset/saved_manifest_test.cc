#include "bucketline/dataset/saved_manifest.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/dataset/dataset_testing.h"

namespace bucketline {
namespace {

using testing::ErrorOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Maps() {
  std::ifstream file("/proc/self/maps");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(SavedManifest, OfALocalFileIsMappedAndOutlivesItsName) {
  const testing::TempFolder folder;
  testing::Bucket bucket;
  for (int i = 0; i < 1000; ++i) bucket.Put(fmt::format("{:04}.jpg", i), "x");
  const std::string path = folder.Path("a.manifest");
  bucket.Open().Save(path);
  {
    const Dataset dataset = bucket.Open(path);
    EXPECT_THAT(Maps(), HasSubstr(path)) << "it was copied";
    bucket.Put("more.jpg", "x");
    bucket.Open().Save(path);  // another file of the same name
    EXPECT_EQ(dataset.size(), 1000u);
    EXPECT_EQ(dataset.Key(999), "0999.jpg");
    EXPECT_EQ(bucket.Open(path).size(), 1001u);
  }
  EXPECT_THAT(Maps(), Not(HasSubstr(path)));
}

TEST(SavedManifest, DamageNamesTheFile) {
  const testing::TempFolder folder;
  testing::Bucket bucket;
  bucket.Put("a.jpg", "x");
  const std::string path = folder.Path("a.manifest");
  bucket.Open().Save(path);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  Error error = ErrorOf([&] { ReadManifest(bucket.runtime(), Uri::Parse(path)); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_EQ(error.uri(), path);
  folder.Put("empty.manifest", "");
  error = ErrorOf([&] { ReadManifest(bucket.runtime(), Uri::Parse(folder.Path("empty.manifest"))); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  error = ErrorOf([&] { ReadManifest(bucket.runtime(), Uri::Parse(folder.Path("no.manifest"))); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace bucketline
