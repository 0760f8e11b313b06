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

// Records with a label object beside each.
class SidecarLabels : public ::testing::Test {
 protected:
  SidecarLabels() {
    for (int i = 0; i < 200; ++i) {
      const std::string stem = "d/" + std::to_string(1000 + i);
      bucket_.Put(stem + ".jpg", "x");
      bucket_.Put(stem + ".json", "{\"label\": " + std::to_string(i * 2) + "}");
    }
  }
  Dataset Open(Labels labels) { return bucket_.Open("mem://data/d/", {.labels = labels}); }

  Bucket bucket_;
};

TEST_F(SidecarLabels, AreReadForEachRecord) {
  const Dataset dataset = Open(Labels::Sidecar("{stem}.json"));
  ASSERT_EQ(dataset.size(), 200u);
  EXPECT_EQ(dataset.label_kind(), LabelKind::kInteger);
  for (uint64_t i = 0; i < 200; ++i) EXPECT_EQ(dataset.LabelInteger(i), static_cast<int64_t>(i * 2));
}

TEST_F(SidecarLabels, OfSeveralSourcesMakeOneColumn) {
  bucket_.Put("e/1.jpg", "x");
  bucket_.Put("e/1.json", R"({"label": 0.5})");
  const Dataset dataset =
      Dataset::OpenAll(bucket_.runtime(), {"mem://data/{d,e}/"}, {.labels = Labels::Sidecar("{stem}.json")});
  EXPECT_EQ(dataset.LabelFloat(199), 398.0f);
  EXPECT_EQ(dataset.LabelFloat(200), 0.5f);
}

TEST_F(SidecarLabels, ThatAreNotThereFollowThePolicy) {
  DeleteObject(*bucket_.store(), "d/1003.json");
  bucket_.Put("d/1005.json", R"({"other": 1})");
  const Error error = ErrorOf([&] { Open(Labels::Sidecar("{stem}.json")); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), ::testing::AllOf(HasSubstr("no label object mem://data/d/1003.json"),
                                                HasSubstr("1 more of the 200 records")));
  Labels dropping = Labels::Sidecar("{stem}.json");
  const Dataset dataset = Open(dropping.IfMissing(Missing::kDrop));
  EXPECT_EQ(dataset.size(), 198u);
  EXPECT_EQ(dataset.dropped(), 2u);
  EXPECT_EQ(dataset.LabelInteger(3), 8);
  EXPECT_THAT(
      ErrorOf([&] { Open(Labels::Sidecar("{stem}.json", "kind").IfMissing(Missing::kDrop)); }).message(),
      HasSubstr("mem://data/d/1000.json has no \"kind\"; its fields are: label"));
}

TEST_F(SidecarLabels, ThatAreWrongAreNamed) {
  bucket_.Put("d/1007.json", "no JSON");
  EXPECT_EQ(ErrorOf([&] { Open(Labels::Sidecar("{stem}.json").IfMissing(Missing::kDrop)); }).uri(),
            "mem://data/d/1007.json");
  bucket_.Put("d/1007.json", R"({"label": "word"})");
  EXPECT_THAT(ErrorOf([&] { Open(Labels::Sidecar("{stem}.json")); }).message(),
              HasSubstr("record 7: the label of \"mem://data/d/1007.json\" is text"));
  bucket_.Put("d/1007.json", "{\"label\": \"" + std::string(2 << 20, 'x') + "\"}");
  const Error large = ErrorOf([&] { Open(Labels::Sidecar("{stem}.json")); });
  EXPECT_EQ(large.code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(large.uri(), "mem://data/d/1007.json");
}

}  // namespace
}  // namespace bucketline
