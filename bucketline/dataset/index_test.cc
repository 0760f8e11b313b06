#include "bucketline/dataset/index.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/dataset/listing_log.h"

namespace bucketline {
namespace {

using testing::ErrorOf;
using ::testing::HasSubstr;

class IndexTest : public ::testing::Test {
 protected:
  std::string Prepare(const std::vector<std::string>& uris, const IndexOptions& index) {
    return PrepareIndex(runtime_, uris, index, &options_);
  }

  Runtime runtime_;
  testing::TempFolder folder_;
  DatasetOptions options_;
};

TEST(IsOnePrefix, ListsManifestsShardsAndChannelsAreNone) {
  EXPECT_TRUE(IsOnePrefix({"s3://b/train/"}, "auto"));
  EXPECT_FALSE(IsOnePrefix({"s3://b/train/", "s3://b/more/"}, "auto"));
  EXPECT_FALSE(IsOnePrefix({"s3://b/{a,b}/"}, "auto"));
  EXPECT_FALSE(IsOnePrefix({"s3://b/train.manifest"}, "auto"));
  EXPECT_FALSE(IsOnePrefix({"s3://b/train-0.tar"}, "auto"));
  EXPECT_FALSE(IsOnePrefix({"s3://b/train/"}, "tfds"));
  EXPECT_FALSE(IsOnePrefix({"channel:train"}, "auto"));
}

TEST_F(IndexTest, TheStateLiesBesideALocalOutput) {
  const std::string output = folder_.Path("a.manifest");
  EXPECT_EQ(Prepare({"s3://b/p/"}, {.output = output}), output + ".partial");
  EXPECT_EQ(options_.listing.log, output + ".partial");
  EXPECT_EQ(Prepare({"s3://b/p/"}, {.output = output, .state = folder_.Path("s")}), folder_.Path("s"));
}

TEST_F(IndexTest, OnlyAResumeKeepsTheStateThatIsThere) {
  const std::string output = folder_.Path("a.manifest");
  {
    const ListingLog begun(output + ".partial", "s3://b/p/");
  }
  Prepare({"s3://b/p/"}, {.output = output, .resume = true});
  EXPECT_TRUE(std::filesystem::exists(output + ".partial"));
  Prepare({"s3://b/p/"}, {.output = output});
  EXPECT_FALSE(std::filesystem::exists(output + ".partial"));
}

TEST_F(IndexTest, WithoutALocalPlaceThereIsNoStateAndNothingToResume) {
  EXPECT_EQ(Prepare({"s3://b/p/"}, {.output = "s3://b/a.manifest"}), "");
  EXPECT_EQ(options_.listing.log, "");
  const Error error =
      ErrorOf([&] { Prepare({"s3://b/p/"}, {.output = "s3://b/a.manifest", .resume = true}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.uri(), "s3://b/a.manifest");
  EXPECT_THAT(error.message(), HasSubstr("--state"));
}

TEST_F(IndexTest, WhatIsNotOnePrefixIsNotResumed) {
  const IndexOptions resume{.output = folder_.Path("a.manifest"), .resume = true};
  const Error error = ErrorOf([&] { Prepare({"s3://b/{p,q}/"}, resume); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_EQ(error.uri(), "s3://b/{p,q}/");
  EXPECT_EQ(ErrorOf([&] { Prepare({}, resume); }).code(), ErrorCode::kUnsupported);
  EXPECT_EQ(Prepare({"s3://b/{p,q}/"}, {.output = folder_.Path("a.manifest")}), "");
}

}  // namespace
}  // namespace bucketline
