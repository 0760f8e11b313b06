#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/dataset/download.h"
#include "bucketline/records/label_column.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::Bucket;
using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;

// Images in mem://data/images/, their masks in another store, mem://masks/.
class DatasetJoin : public ::testing::Test {
 protected:
  DatasetJoin() {
    bucket_.runtime().AddStore("masks", masks_);
    for (const char* key : {"images/a/1.jpg", "images/a/2.jpg", "images/b/1.jpeg"}) bucket_.Put(key, key);
    for (const char* key : {"b/1.png", "a/2.png", "a/1.png"})
      PutBytes(*masks_, key, std::string("mask ") + key);
  }

  Dataset Images(Labels labels = Labels::None()) {
    return bucket_.Open("mem://data/images/", {.labels = labels});
  }
  Dataset Masks() { return bucket_.Open("mem://masks/"); }

  Bucket bucket_;
  std::shared_ptr<ObjectStore> masks_ = MakeMemoryStore("masks");
};

TEST_F(DatasetJoin, ARecordHasAPartOfEach) {
  const Dataset pairs = Dataset::Join({{"image", Images(Labels::Folder())}, {"mask", Masks()}});
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_THAT(pairs.part_names(), ElementsAre("image", "mask"));
  EXPECT_EQ(pairs.Key(2), "images/b/1.jpeg");
  EXPECT_EQ(pairs.UriAt(2), "mem://data/images/b/1.jpeg");
  EXPECT_EQ(pairs.UriAt(2, 1), "mem://masks/b/1.png");
  EXPECT_EQ(pairs.Read(2).data.ToString(), "images/b/1.jpeg");
  const Sample mask = pairs.Read(2, 1);
  EXPECT_EQ(mask.data.ToString(), "mask b/1.png");
  EXPECT_EQ(mask.uri, "mem://masks/b/1.png");
  EXPECT_EQ(mask.size, 12u);
  EXPECT_EQ(pairs.RecordBytes(2), 15u + 12);
  EXPECT_THAT(pairs.classes(), ElementsAre("a", "b"));
  EXPECT_EQ(pairs.LabelInteger(2), 1);
  EXPECT_EQ(pairs.dropped(), 0u);
}

TEST_F(DatasetJoin, AKeyWithoutAPartnerIsNamed) {
  DeleteObject(*masks_, "a/2.png");
  PutBytes(*masks_, "c/9.png", "mask of nothing");
  const Error error = ErrorOf([&] { Dataset::Join({{"image", Images()}, {"mask", Masks()}}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.uri(), "mem://data/images/a/2.jpg");
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr("\"images/a/2.jpg\" of the part \"image\" has no partner in \"mask\""),
                    HasSubstr("the stem \"a/2\""), HasSubstr("1 more keys"), HasSubstr("missing drop")));
  const Error other =
      ErrorOf([&] { Dataset::Join({{"image", Images().Without({"images/a/2.jpg"})}, {"mask", Masks()}}); });
  EXPECT_THAT(other.message(), HasSubstr("\"c/9.png\" of the part \"mask\" has no partner in \"image\""));
}

TEST_F(DatasetJoin, KeysWithoutAPartnerMayStayOut) {
  DeleteObject(*masks_, "a/1.png");
  PutBytes(*masks_, "c/9.png", "mask of nothing");
  const Dataset pairs =
      Dataset::Join({{"image", Images(Labels::Folder())}, {"mask", Masks()}}, Missing::kDrop);
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs.dropped(), 2u);
  EXPECT_EQ(pairs.Key(0), "images/a/2.jpg");
  EXPECT_EQ(pairs.LabelInteger(1), 1);
  EXPECT_EQ(pairs.Read(1, 1).data.ToString(), "mask b/1.png");
  const Dataset strangers = Masks().Select({2});
  EXPECT_THAT(
      ErrorOf([&] { Dataset::Join({{"image", Images()}, {"mask", strangers}}, Missing::kDrop); }).message(),
      HasSubstr("nothing is left"));
}

TEST_F(DatasetJoin, TwoKeysOfOneStemAreBothNamed) {
  PutBytes(*masks_, "a/1.webp.png", "its stem is a/1.webp");
  bucket_.Put("images/a/1.png", "x");
  EXPECT_THAT(ErrorOf([&] { Dataset::Join({{"image", Images()}, {"mask", Masks()}}); }).message(),
              AllOf(HasSubstr("\"images/a/1.jpg\" and \"images/a/1.png\""), HasSubstr("stem \"a/1\""),
                    HasSubstr("the part \"image\"")));
}

TEST_F(DatasetJoin, EachPartKeepsItsPin) {
  const Dataset loose = bucket_.Open("mem://masks/", {.pin = PinMode::kSize});
  const Dataset pairs = Dataset::Join({{"image", Images()}, {"mask", loose}});
  bucket_.Put("images/a/1.jpg", "IMAGES/A/1.JPG");
  PutBytes(*masks_, "a/1.png", "MASK a/1.png");
  EXPECT_EQ(ErrorOf([&] { pairs.Read(0); }).code(), ErrorCode::kObjectChanged);
  EXPECT_EQ(pairs.Read(0, 1).data.ToString(), "MASK a/1.png");
}

TEST_F(DatasetJoin, JoinsAreSplitAndPutTogetherLikeAnyOther) {
  const Dataset pairs = Dataset::Join({{"image", Images()}, {"mask", Masks()}});
  const Dataset turned = Dataset::Concat({pairs.Slice(2, 1), pairs.Slice(0, 1)});
  EXPECT_EQ(turned.Read(0, 1).data.ToString(), "mask b/1.png");
  EXPECT_EQ(turned.WithLabels(IntegerLabels({7, 8})).Read(1, 1).data.ToString(), "mask a/1.png");
  EXPECT_NE(pairs.fingerprint(), Images().fingerprint());
  EXPECT_THAT(ErrorOf([&] { Dataset::Concat({pairs, Images()}); }).message(),
              AllOf(HasSubstr("the parts image, mask"), HasSubstr("the parts data")));
}

TEST_F(DatasetJoin, OnlyPartsOfOneStoreCanBeSaved) {
  const Dataset pairs = Dataset::Join({{"image", Images()}, {"mask", Masks()}});
  EXPECT_THAT(ErrorOf([&] { pairs.Save("mem://data/p.manifest"); }).message(),
              HasSubstr("\"image\" and \"mask\" of this dataset lie in two"));
  bucket_.Put("masks/1.png", "the mask");
  bucket_.Put("photos/1.jpg", "the photo");
  Dataset::Join({{"image", bucket_.Open("mem://data/photos/")}, {"mask", bucket_.Open("mem://data/masks/")}})
      .Save("mem://data/p.manifest");
  const Dataset opened = bucket_.Open("mem://data/p.manifest");
  EXPECT_THAT(opened.part_names(), ElementsAre("image", "mask"));
  EXPECT_EQ(opened.Read(0, 1).data.ToString(), "the mask");
}

TEST_F(DatasetJoin, WhatCannotBeJoinedIsNamed) {
  EXPECT_EQ(ErrorOf([] { Dataset::Join({}); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(ErrorOf([&] { Dataset::Join({{"x", Images()}, {"x", Masks()}}); }).message(),
              HasSubstr("twice"));
  const Dataset both = Dataset::Concat({Images(), Masks()});
  EXPECT_THAT(ErrorOf([&] { Dataset::Join({{"image", both}, {"mask", Masks()}}); }).message(),
              HasSubstr("the part \"image\" has several sources"));
}

TEST_F(DatasetJoin, ARecordNeedsAPartnerInEveryPart) {
  for (const char* key : {"depth/b/1.tif.png", "depth/a/1.png", "depth/b/1.png"}) bucket_.Put(key, key);
  const Dataset depths = bucket_.Open("mem://data/depth/").Without({"depth/b/1.tif.png"});
  const std::vector<std::pair<std::string, Dataset>> parts = {
      {"image", Images()}, {"mask", Masks()}, {"depth", depths}};
  EXPECT_THAT(ErrorOf([&] { Dataset::Join(parts); }).message(),
              HasSubstr("\"images/a/2.jpg\" of the part \"image\" has no partner in \"depth\""));
  const Dataset triples = Dataset::Join(parts, Missing::kDrop);
  ASSERT_EQ(triples.size(), 2u);
  EXPECT_EQ(triples.dropped(), 1u);
  EXPECT_EQ(triples.Read(1, 1).data.ToString(), "mask b/1.png");
  EXPECT_EQ(triples.Read(1, 2).data.ToString(), "depth/b/1.png");
}

}  // namespace
}  // namespace bucketline
