#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/records/label_column.h"

namespace bucketline {
namespace {

using testing::Bucket;
using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;

TEST(DatasetLabels, ComeFromValues) {
  Bucket bucket;
  for (const char* key : {"a.jpg", "b.jpg", "c.jpg"}) bucket.Put(key, "x");
  const Dataset bare = bucket.Open();
  const Dataset labelled = bare.WithLabels(ClassLabels(std::vector<std::string>{"y", "x", "y"}));
  EXPECT_EQ(bare.label_kind(), LabelKind::kNone);
  EXPECT_THAT(labelled.classes(), ElementsAre("x", "y"));
  EXPECT_EQ(labelled.LabelInteger(2), 1);
  EXPECT_EQ(labelled.fingerprint(), bare.fingerprint());
  EXPECT_EQ(labelled.Read(1).data.ToString(), "x");
  EXPECT_THAT(ErrorOf([&] { bare.WithLabels(IntegerLabels({1, 2})); }).what(),
              HasSubstr("2 labels for 3 records"));
}

TEST(DatasetLabels, OfAViewLeaveNothingElseInReach) {
  Bucket bucket;
  for (const char* key : {"a.jpg", "b.jpg", "c.jpg", "d.jpg"}) bucket.Put(key, std::string(key, 1));
  const Dataset view = bucket.Open().Select({1, 3});
  const Dataset labelled = view.WithLabels(FloatLabels({0.5f, 1.5f}));
  EXPECT_EQ(labelled.manifests().size(), 2u);
  EXPECT_EQ(labelled.Key(1), "d.jpg");
  EXPECT_EQ(labelled.LabelFloat(1), 1.5f);
  EXPECT_EQ(labelled.Read(1).data.ToString(), "d");
  EXPECT_EQ(labelled.Slice(1, 1).LabelFloat(0), 1.5f);
  labelled.Save("mem://data/some.manifest");
  const Dataset opened = bucket.Open("mem://data/some.manifest");
  EXPECT_EQ(opened.size(), 2u);
  EXPECT_EQ(opened.LabelFloat(0), 0.5f);
  EXPECT_EQ(opened.fingerprint(), labelled.fingerprint());
}

TEST(DatasetLabels, RecordsWithoutOneMayLeave) {
  Bucket bucket;
  for (const char* key : {"a.jpg", "b.jpg", "c.jpg"}) bucket.Put(key, std::string(key, 1));
  bucket.Put("t.csv", "file,label\na.jpg,x\nc.jpg,y\n");
  Labels labels = Labels::Table("mem://data/t.csv");
  EXPECT_THAT(ErrorOf([&] { bucket.Open("mem://data/", {.labels = labels}); }).what(),
              HasSubstr("\"b.jpg\""));
  const Dataset dataset = bucket.Open("mem://data/", {.labels = labels.IfMissing(Missing::kDrop)});
  ASSERT_EQ(dataset.size(), 2u);
  EXPECT_EQ(dataset.dropped(), 1u);
  EXPECT_EQ(dataset.Key(1), "c.jpg");
  EXPECT_EQ(dataset.LabelInteger(1), 1);
  EXPECT_EQ(dataset.Read(1).data.ToString(), "c");
  EXPECT_EQ(dataset.Slice(0, 1).dropped(), 1u);
  EXPECT_EQ(dataset.manifests().size(), 2u);
}

TEST(DatasetLabels, OneHotClassesHaveNames) {
  Bucket bucket;
  bucket.Put("cat/1.jpg", "x");
  bucket.Put("dog/1.jpg", "x");
  const Dataset dataset = bucket.Open("mem://data/", {.labels = Labels::Folder().OneHot()});
  EXPECT_EQ(dataset.label_kind(), LabelKind::kVector);
  EXPECT_THAT(dataset.classes(), ElementsAre("cat", "dog"));
  EXPECT_EQ(dataset.LabelFloat(1, 1), 1.0f);
}

}  // namespace
}  // namespace bucketline
