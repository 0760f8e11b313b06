#include <algorithm>
#include <set>

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
using ::testing::UnorderedElementsAre;

// mem://data/ and mem://more/ with objects whose bytes are their names.
class DatasetConcat : public ::testing::Test {
 protected:
  DatasetConcat() {
    bucket_.runtime().AddStore("more", more_);
    for (const char* key : {"x/cat/1.jpg", "x/dog/2.jpg", "y/ant/1.jpg"})
      bucket_.Put(key, std::string("data ") + key);
    for (const char* key : {"x/bee/0.jpg", "x/cat/1.jpg"}) PutBytes(*more_, key, std::string("more ") + key);
  }

  Dataset Folders(std::string_view uri) { return bucket_.Open(uri, {.labels = Labels::Folder()}); }
  Dataset All(const std::vector<std::string>& uris, DatasetOptions options = {}) {
    return Dataset::OpenAll(bucket_.runtime(), uris, std::move(options));
  }

  Bucket bucket_;
  std::shared_ptr<ObjectStore> more_ = MakeMemoryStore("more");
};

std::vector<std::string> UrisOf(const Dataset& dataset) {
  std::vector<std::string> uris;
  for (uint64_t i = 0; i < dataset.size(); ++i) uris.push_back(dataset.UriAt(i));
  return uris;
}

TEST_F(DatasetConcat, KeepsTheOrderAndReadsFromEachStore) {
  const Dataset both = Dataset::Concat({bucket_.Open("mem://data/x/"), bucket_.Open("mem://more/x/")});
  EXPECT_THAT(UrisOf(both), ElementsAre("mem://data/x/cat/1.jpg", "mem://data/x/dog/2.jpg",
                                        "mem://more/x/bee/0.jpg", "mem://more/x/cat/1.jpg"));
  EXPECT_EQ(both.Key(0), both.Key(3));
  EXPECT_EQ(both.Read(0).data.ToString(), "data x/cat/1.jpg");
  EXPECT_EQ(both.Read(3).data.ToString(), "more x/cat/1.jpg");
  EXPECT_EQ(both.Read(3).uri, "mem://more/x/cat/1.jpg");
  EXPECT_EQ(both.source(), "mem://data/x/ and 1 more");
  EXPECT_EQ(both.SourceAt(3), "mem://more/x/");
  EXPECT_EQ(both.total_bytes(), 4u * 16);
  EXPECT_EQ(both.largest_record(), 16u);
  EXPECT_EQ(both.largest_record_uri(), "mem://data/x/cat/1.jpg");
}

TEST_F(DatasetConcat, EachPartKeepsItsPin) {
  const Dataset pinned = bucket_.Open("mem://data/x/");
  const Dataset loose = bucket_.Open("mem://more/x/", {.pin = PinMode::kSize});
  const Dataset both = Dataset::Concat({pinned, loose});
  bucket_.Put("x/cat/1.jpg", "DATA x/cat/1.jpg");
  PutBytes(*more_, "x/cat/1.jpg", "MORE x/cat/1.jpg");
  EXPECT_EQ(ErrorOf([&] { both.Read(0); }).code(), ErrorCode::kObjectChanged);
  EXPECT_EQ(both.Read(3).data.ToString(), "MORE x/cat/1.jpg");
}

TEST_F(DatasetConcat, ClassesAreMergedByName) {
  const Dataset both = Dataset::Concat({Folders("mem://data/x/"), Folders("mem://more/x/")});
  EXPECT_THAT(both.classes(), ElementsAre("bee", "cat", "dog"));
  std::vector<int64_t> labels;
  for (uint64_t i = 0; i < both.size(); ++i) labels.push_back(both.LabelInteger(i));
  EXPECT_THAT(labels, ElementsAre(1, 2, 0, 1));
  EXPECT_THAT(
      ErrorOf([&] { Dataset::Concat({Folders("mem://data/x/"), bucket_.Open("mem://more/")}); }).what(),
      AllOf(HasSubstr("mem://data/x/ are classes"), HasSubstr("mem://more/ are none")));
}

TEST_F(DatasetConcat, ViewsStayViews) {
  const Dataset left = Folders("mem://data/").Select({0, 2});
  const Dataset right = Folders("mem://more/").Slice(1, 1);
  const Dataset both = Dataset::Concat({left, right});
  EXPECT_THAT(UrisOf(both),
              ElementsAre("mem://data/x/cat/1.jpg", "mem://data/y/ant/1.jpg", "mem://more/x/cat/1.jpg"));
  EXPECT_THAT(UrisOf(both.Slice(1, 2).Without({"y/ant/1.jpg"})), ElementsAre("mem://more/x/cat/1.jpg"));
  EXPECT_EQ(both.largest_record_uri(), "mem://data/x/cat/1.jpg");
  const Dataset labelled = both.WithLabels(IntegerLabels({10, 20, 30}));
  EXPECT_EQ(labelled.LabelInteger(2), 30);
  EXPECT_EQ(labelled.Read(2).data.ToString(), "more x/cat/1.jpg");
  EXPECT_EQ(labelled.manifests().size(), 3u);
}

TEST_F(DatasetConcat, TheFingerprintIsOfAllParts) {
  const Dataset a = bucket_.Open("mem://data/");
  const Dataset b = bucket_.Open("mem://more/");
  const std::set<uint64_t> prints = {a.fingerprint(), b.fingerprint(), Dataset::Concat({a, b}).fingerprint(),
                                     Dataset::Concat({b, a}).fingerprint(),
                                     Dataset::Concat({a, b.Slice(0, 1)}).fingerprint()};
  EXPECT_EQ(prints.size(), 5u);
  EXPECT_EQ(Dataset::Concat({a}).fingerprint(), a.fingerprint());
}

TEST_F(DatasetConcat, AnObjectTwiceIsAnErrorUnlessAskedFor) {
  const Dataset all = bucket_.Open("mem://data/");
  const Dataset below = bucket_.Open("mem://data/x/");
  const Error error = ErrorOf([&] { Dataset::Concat({all, below}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("in mem://data/ and again in mem://data/x/"), HasSubstr(".jpg")));
  EXPECT_EQ(Dataset::Concat({all, below}, Repeats::kAllow).size(), 5u);
  const auto [first, second] = all.Split(0.5);
  EXPECT_EQ(Dataset::Concat({first, second}).size(), 3u);  // one prefix twice, no object twice
  EXPECT_EQ(ErrorOf([&] { Dataset::Concat({all, all.Slice(2, 1)}); }).uri(), "mem://data/y/ant/1.jpg");
}

TEST_F(DatasetConcat, ManyCannotBeSavedAsOne) {
  const Dataset both = Dataset::Concat({bucket_.Open("mem://data/"), bucket_.Open("mem://more/")});
  const Error error = ErrorOf([&] { both.Save("mem://data/both.manifest"); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("this dataset has 2"), HasSubstr("save each")));
  EXPECT_EQ(ErrorOf([] { Dataset::Concat({}); }).code(), ErrorCode::kInvalidArgument);
}

TEST_F(DatasetConcat, AListOfUrisOpensInItsOrder) {
  EXPECT_THAT(UrisOf(All({"mem://more/x/", "mem://data/{y,x}/"})),
              ElementsAre("mem://more/x/bee/0.jpg", "mem://more/x/cat/1.jpg", "mem://data/y/ant/1.jpg",
                          "mem://data/x/cat/1.jpg", "mem://data/x/dog/2.jpg"));
  EXPECT_EQ(All({"mem://data/x/"}).source(), "mem://data/x/");
  EXPECT_THAT(ErrorOf([&] { All({"mem://data/x/", "mem://data/none/"}); }).what(),
              HasSubstr("mem://data/none/"));
  EXPECT_EQ(ErrorOf([&] { All({}); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(ErrorOf([&] { All({"mem://data/x/", "mem://data/x/"}); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(All({"mem://data/x/", "mem://data/x/"}, {.repeats = Repeats::kAllow}).size(), 4u);
}

TEST_F(DatasetConcat, AListIsLabelledAndCountedTogether) {
  bucket_.Put("t.csv", "file,label\nmem://data/x/cat/1.jpg,1\nmem://more/x/cat/1.jpg,2.5\n");
  Labels labels = Labels::Table("mem://data/t.csv");
  uint64_t listed = 0;
  const Dataset both =
      All({"mem://data/x/", "mem://more/x/"},
          {.labels = labels.IfMissing(Missing::kDrop),
           .listing_progress = [&](uint64_t objects) { listed = std::max(listed, objects); }});
  EXPECT_THAT(UrisOf(both), ElementsAre("mem://data/x/cat/1.jpg", "mem://more/x/cat/1.jpg"));
  EXPECT_EQ(both.LabelFloat(0), 1);
  EXPECT_EQ(both.LabelFloat(1), 2.5f);
  EXPECT_EQ(both.dropped(), 2u);
  EXPECT_EQ(listed, 4u);
}

TEST_F(DatasetConcat, SavedManifestsOpenAsAList) {
  Folders("mem://data/x/").Save("mem://data/a.manifest");
  Folders("mem://more/x/").Save("mem://data/b.manifest");
  const Dataset both = All({"mem://data/{a,b}.manifest"});
  EXPECT_EQ(both.size(), 4u);
  EXPECT_THAT(both.classes(), ElementsAre("bee", "cat", "dog"));
}

TEST_F(DatasetConcat, DownloadPutsEachBelowItsOwnPrefix) {
  const auto target = MakeMemoryStore("target");
  Download(All({"mem://data/y/", "mem://more/x/"}), target.get());
  std::vector<std::string> keys;
  for (const ObjectInfo& object : ListAll(*target, "")) keys.push_back(object.key);
  EXPECT_THAT(keys, UnorderedElementsAre("ant/1.jpg", "bee/0.jpg", "cat/1.jpg"));
  EXPECT_EQ(GetBytes(*target, "cat/1.jpg").ToString(), "more x/cat/1.jpg");
}

TEST_F(DatasetConcat, WithoutAUriThereIsNoDataset) {
  const Error error = ErrorOf([&] { All({}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), HasSubstr("at least one URI"));
}

}  // namespace
}  // namespace bucketline
