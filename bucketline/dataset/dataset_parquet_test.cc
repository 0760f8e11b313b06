// Datasets of Parquet files: columns as parts and labels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/records/parquet_testing.h"

namespace bucketline {
namespace {

using namespace records_testing;  // NOLINT(google-build-using-namespace): the writer's words
using ::testing::AllOf;
using testing::Bucket;
using testing::ErrorOf;
using ::testing::HasSubstr;

class ParquetDataset : public ::testing::Test {
 protected:
  ParquetDataset() { bucket_.Put("t/b.parquet", ImageFile({"first", "second"}, {8, 9})); }

  Error OpenError(DatasetOptions options) {
    return ErrorOf([&] { bucket_.Open("mem://data/t/", std::move(options)); });
  }

  Bucket bucket_;
};

TEST_F(ParquetDataset, ColumnsArePartsAndLabels) {
  bucket_.Put("t/a.parquet", ImageFile({"third"}, {7}));
  const Dataset dataset = bucket_.Open("mem://data/t/", {.labels = Labels::Member("label")});
  ASSERT_EQ(dataset.size(), 3u);
  EXPECT_EQ(dataset.Key(2), "t/b.parquet/0000000001");
  EXPECT_EQ(dataset.Read(0).data.view(), "third");
  EXPECT_EQ(dataset.Read(2).data.view(), "second");
  EXPECT_EQ(dataset.LabelInteger(0), 7);
  EXPECT_EQ(dataset.LabelInteger(2), 9);
}

TEST_F(ParquetDataset, EqualImagesKeepTheirOwnLabels) {
  const std::string images = DictionaryPage(PlainBytes({"a", "b"}), {.values = 2}) +
                             DataPage(Indices({1, 0, 1, 0, 1}), {.values = 5, .encoding = kIndexValues});
  const std::string labels = DataPage(PlainIntegers({10, 11, 12, 13, 14}), {.values = 5});
  bucket_.Put("d/x.parquet", ParquetFile({{.name = "image"}, {.name = "label", .type = kInts64}},
                                         {{.rows = 5, .pages = {images, labels}}}));
  const Dataset dataset = bucket_.Open("mem://data/d/", {.labels = Labels::Member("label")});
  ASSERT_EQ(dataset.size(), 5u);
  for (uint64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(dataset.LabelInteger(i), static_cast<int64_t>(10 + i));
    EXPECT_EQ(dataset.Read(i).data.view(), i % 2 == 0 ? "b" : "a");
  }
}

TEST_F(ParquetDataset, ClassesThatDatasetsNotedNameTheLabels) {
  const auto put = [&](const char* key, const char* names) {
    bucket_.Put(
        key, ParquetFile({{.name = "image"}, {.name = "label", .type = kInts64}},
                         {{.rows = 1,
                           .pages = {DataPage(PlainBytes({"a"}), {.values = 1}),
                                     DataPage(PlainIntegers({1}), {.values = 1})}}},
                         std::string(R"({"info": {"features": {"label": {"_type": "ClassLabel", "names": )") +
                             names + "}}}}"));
  };
  const auto classes = [&] {
    return bucket_.Open("mem://data/c/", {.labels = Labels::Member("label")}).classes();
  };
  put("c/1.parquet", R"(["cat", "dog"])");
  put("c/2.parquet", R"(["cat", "dog"])");
  EXPECT_EQ(classes(), (std::vector<std::string>{"cat", "dog"}));
  put("c/2.parquet", R"(["dog", "cat"])");
  EXPECT_TRUE(classes().empty());
}

TEST_F(ParquetDataset, AColumnThatIsNotThereIsNamedWithThoseThatAre) {
  EXPECT_THAT(OpenError({.parts = {PartChoice::Parse("picture")}}).what(),
              AllOf(HasSubstr("mem://data/t/b.parquet"),
                    HasSubstr("has no column \"picture\"; its columns are \"image\", \"label\"")));
  EXPECT_THAT(OpenError({.labels = Labels::Member("class")}).what(),
              HasSubstr("no column of labels \"class\"; its columns are \"image\", \"label\""));
  bucket_.Put("t/b.parquet", ParquetFile({{.name = "photo"}}, {}));
  EXPECT_THAT(OpenError({}).what(),
              AllOf(HasSubstr("no column that is known to hold images: \"image\" or \"img\""),
                    HasSubstr("\"photo\"")));
}

TEST_F(ParquetDataset, WithDropAFileWithoutTheColumnIsLeftOut) {
  bucket_.Put(
      "t/c.parquet",
      ParquetFile({{.name = "photo"}}, {{.rows = 1, .pages = {DataPage(PlainBytes({"a"}), {.values = 1})}}}));
  const Dataset dataset = bucket_.Open("mem://data/t/", {.missing = Missing::kDrop});
  EXPECT_EQ(dataset.size(), 2u);
  EXPECT_EQ(dataset.dropped(), 1u);
  const Dataset labelled =
      bucket_.Open("mem://data/t/", {.labels = Labels::Member("label").IfMissing(Missing::kDrop),
                                     .parts = {PartChoice::Parse("image;photo")}});
  EXPECT_EQ(labelled.size(), 2u);
  EXPECT_EQ(labelled.dropped(), 1u);
}

TEST_F(ParquetDataset, ANullIsAnErrorOrLeftOut) {
  const std::string images = DataPage(Levels({1, 0}) + PlainBytes({"first"}), {.values = 2});
  bucket_.Put("t/b.parquet",
              ParquetFile({{.name = "image", .repetition = kMaybe}}, {{.rows = 2, .pages = {images}}}));
  EXPECT_THAT(OpenError({}).what(),
              AllOf(HasSubstr("the member \"image\" of the sample \"0000000001\" at byte"),
                    HasSubstr("is null"), HasSubstr("missing drop")));
  const Dataset dataset = bucket_.Open("mem://data/t/", {.missing = Missing::kDrop});
  EXPECT_EQ(dataset.size(), 1u);
  EXPECT_EQ(dataset.dropped(), 1u);
}

TEST_F(ParquetDataset, TheNextColumnStandsInForANull) {
  const std::string first = DataPage(Levels({1, 0}) + PlainBytes({"a jpg"}), {.values = 2});
  const std::string second = DataPage(Levels({0, 1}) + PlainBytes({"a png"}), {.values = 2});
  bucket_.Put("t/b.parquet",
              ParquetFile({{.name = "jpg", .repetition = kMaybe}, {.name = "png", .repetition = kMaybe}},
                          {{.rows = 2, .pages = {first, second}}}));
  const Dataset dataset = bucket_.Open("mem://data/t/");
  ASSERT_EQ(dataset.size(), 2u);
  EXPECT_EQ(dataset.Read(0).data.view(), "a jpg");
  EXPECT_EQ(dataset.Read(1).data.view(), "a png");
}

TEST_F(ParquetDataset, ASavedIndexIsOfItsFilesAlone) {
  bucket_.Open("mem://data/t/", {.labels = Labels::Member("label")}).Save("mem://data/t.manifest");
  const Dataset dataset = bucket_.Open("mem://data/t.manifest");
  EXPECT_EQ(dataset.Read(1).data.view(), "second");
  EXPECT_EQ(dataset.LabelInteger(1), 9);
  bucket_.Put("t/b.parquet", ImageFile({"other", "images"}, {8, 9}));
  const Error error = ErrorOf([&] { dataset.Read(1); });
  EXPECT_EQ(error.code(), ErrorCode::kObjectChanged);
  EXPECT_THAT(error.what(), HasSubstr("t/b.parquet"));
}

TEST_F(ParquetDataset, DamageNamesFileAndByteOrIsLeftOut) {
  std::string file = ImageFile({"first", "second"}, {8, 9});
  file[file.find("second") - 4] = 100;
  bucket_.Put("t/b.parquet", file);
  const Error error = OpenError({});
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.what(),
              AllOf(HasSubstr("mem://data/t/b.parquet: at byte 4"), HasSubstr("\"image\" of row group 0"),
                    HasSubstr("for value 1, whose length is 100")));
  bucket_.Put("t/c.parquet", ImageFile({"whole"}, {1}));
  const Dataset dataset = bucket_.Open("mem://data/t/", {.damaged = Damaged::kSkip});
  EXPECT_EQ(dataset.size(), 1u);
  EXPECT_EQ(dataset.dropped(), 1u);
}

TEST_F(ParquetDataset, ACompressedColumnSaysWhatToDo) {
  bucket_.Put("t/b.parquet",
              ParquetFile({{.name = "image", .codec = 6}},
                          {{.rows = 1, .pages = {DataPage(PlainBytes({"a"}), {.values = 1})}}}));
  const Error error = OpenError({.damaged = Damaged::kSkip});
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("mem://data/t/b.parquet"), HasSubstr("compressed with ZSTD"),
                                  HasSubstr("compression=\"NONE\"")));
}

}  // namespace
}  // namespace bucketline
