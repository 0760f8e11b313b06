// Datasets of tar shards: keys, parts, labels, policies, and what saved indexes know.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/records/shard_testing.h"

namespace bucketline {
namespace {

using records_testing::Tar;
using records_testing::TarEnd;
using records_testing::TarMember;
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

std::vector<std::string> TextsOf(const Dataset& dataset, size_t part = 0) {
  std::vector<std::string> texts;
  for (uint64_t i = 0; i < dataset.size(); ++i) texts.emplace_back(dataset.Read(i, part).data.view());
  return texts;
}

std::vector<int64_t> LabelsOf(const Dataset& dataset) {
  std::vector<int64_t> labels;
  for (uint64_t i = 0; i < dataset.size(); ++i) labels.push_back(dataset.LabelInteger(i));
  return labels;
}

class TarDataset : public ::testing::Test {
 protected:
  TarDataset() {
    bucket_.Put("t/train-0.tar",
                Tar({{"b.cls", "1"}, {"b.jpg", "second"}, {"a.cls", "0"}, {"a.jpg", "first"}}));
    bucket_.Put("t/train-1.tar", Tar({{"x/a.jpg", "third"}, {"x/a.cls", "1"}}));
  }

  Dataset OpenBoth(DatasetOptions options = {}) {
    return Dataset::OpenAll(bucket_.runtime(), {"mem://data/t/train-{0..1}.tar"}, std::move(options));
  }

  Bucket bucket_;
};

TEST_F(TarDataset, AShardIsARecordForEachOfItsSamples) {
  const Dataset dataset = OpenBoth();
  EXPECT_THAT(KeysOf(dataset), ElementsAre("t/train-0.tar/a", "t/train-0.tar/b", "t/train-1.tar/x/a"));
  EXPECT_THAT(TextsOf(dataset), ElementsAre("first", "second", "third"));
  EXPECT_EQ(dataset.UriAt(1), "mem://data/t/train-0.tar#bytes=1536-1541");
  EXPECT_EQ(dataset.Read(1).uri, dataset.UriAt(1));
  EXPECT_EQ(dataset.source(), "mem://data/t/");
  EXPECT_THAT(dataset.part_names(), ElementsAre("data"));
  EXPECT_EQ(dataset.total_bytes(), 16u);
  EXPECT_EQ(dataset.dropped(), 0u);
}

TEST_F(TarDataset, APrefixWithoutRawObjectsIsItsShards) {
  EXPECT_EQ(KeysOf(bucket_.Open("mem://data/t/")), KeysOf(OpenBoth()));
  EXPECT_EQ(KeysOf(bucket_.Open("mem://data/t/", {.format = "tar"})), KeysOf(OpenBoth()));
  EXPECT_EQ(KeysOf(bucket_.Open("mem://data/t/train-", {.format = "tar"})), KeysOf(OpenBoth()));
  bucket_.Put("t/raw.jpg", "an image");
  EXPECT_THAT(KeysOf(bucket_.Open("mem://data/t/")), ElementsAre("t/raw.jpg"));
  EXPECT_EQ(KeysOf(bucket_.Open("mem://data/t/", {.format = "tar"})), KeysOf(OpenBoth()));
}

TEST_F(TarDataset, TwoFormatsBelowAPrefixAreForTheUserToChoose) {
  bucket_.Put("t/x.rec", "");
  const Error error = ErrorOf([&] { bucket_.Open("mem://data/t/"); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("tar and recordio shards are here"));
  EXPECT_EQ(bucket_.Open("mem://data/t/", {.format = "tar"}).size(), 3u);
}

TEST_F(TarDataset, AsObjectsTheyAreWhatTheyAre) {
  const Dataset dataset = bucket_.Open("mem://data/t/", {.format = "objects", .extensions = {}});
  EXPECT_THAT(KeysOf(dataset), ElementsAre("t/train-0.tar", "t/train-1.tar"));
  EXPECT_EQ(ErrorOf([&] { bucket_.Open("mem://data/t/", {.format = "objects"}); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST_F(TarDataset, AShardNamedByItselfIsThatOne) {
  bucket_.Put("t/train-0.tar.old.tar", Tar({{"z.jpg", "z"}}));
  EXPECT_EQ(bucket_.Open("mem://data/t/train-0.tar").size(), 2u);
  bucket_.Put("t/archive", Tar({{"z.jpg", "z"}}));
  EXPECT_THAT(KeysOf(bucket_.Open("mem://data/t/archive", {.format = "tar"})), ElementsAre("t/archive/z"));
}

TEST_F(TarDataset, LabelsComeFromAMember) {
  const Dataset numbers = OpenBoth({.labels = Labels::Member("cls")});
  EXPECT_EQ(numbers.label_kind(), LabelKind::kInteger);
  EXPECT_THAT(LabelsOf(numbers), ElementsAre(0, 1, 1));
  bucket_.Put("w.tar", Tar({{"1.txt", "dog"}, {"1.png", ""}, {"2.txt", "cat"}, {"2.png", ""}}));
  const Dataset words = bucket_.Open("mem://data/w.tar", {.labels = Labels::Member("txt")});
  EXPECT_THAT(words.classes(), ElementsAre("cat", "dog"));
  EXPECT_THAT(LabelsOf(words), ElementsAre(1, 0));
}

TEST_F(TarDataset, LabelsComeFromAFieldOfJson) {
  bucket_.Put(
      "j.tar",
      Tar({{"1.json", R"({"kind": "7"})"}, {"1.png", ""}, {"2.json", R"({"kind": "8"})"}, {"2.png", ""}}));
  const Dataset dataset = bucket_.Open("mem://data/j.tar", {.labels = Labels::Member("json", "kind")});
  EXPECT_THAT(dataset.classes(), ElementsAre("7", "8"));  // text in JSON is text
  const Error error =
      ErrorOf([&] { bucket_.Open("mem://data/j.tar", {.labels = Labels::Member("json", "sort")}); });
  EXPECT_THAT(error.what(),
              AllOf(HasSubstr("j.tar, sample \"1\""), HasSubstr("no \"sort\""), HasSubstr("kind")));
}

TEST_F(TarDataset, ASampleWithoutItsLabelIsAnErrorOrLeft) {
  bucket_.Put("m.tar", Tar({{"1.cls", "3"}, {"1.jpg", "a"}, {"2.jpg", "b"}}));
  const Error error = ErrorOf([&] { bucket_.Open("mem://data/m.tar", {.labels = Labels::Member("cls")}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("sample \"2\" has no \"cls\""),
                                  HasSubstr("missing drop leaves such records out")));
  Labels labels = Labels::Member("cls");
  const Dataset dataset = bucket_.Open("mem://data/m.tar", {.labels = labels.IfMissing(Missing::kDrop)});
  EXPECT_THAT(KeysOf(dataset), ElementsAre("m.tar/1"));
  EXPECT_EQ(dataset.dropped(), 1u);
}

TEST_F(TarDataset, RawObjectsHaveNoMembers) {
  bucket_.Put("raw/a.jpg", "x");
  const Error error = ErrorOf([&] { bucket_.Open("mem://data/raw/", {.labels = Labels::Member("cls")}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("labels=\"cls\" names a member of shards"));
}

TEST_F(TarDataset, PartsAreTheMembersThatAreAskedFor) {
  bucket_.Put("p.tar", Tar({{"1.jpg", "i1"}, {"1.seg.png", "m1"}, {"2.png", "i2"}, {"2.seg.png", "m2"}}));
  const Dataset dataset = bucket_.Open(
      "mem://data/p.tar", {.parts = {PartChoice::Parse("image=jpg;png"), PartChoice::Parse("seg.png")}});
  EXPECT_THAT(dataset.part_names(), ElementsAre("image", "seg.png"));
  EXPECT_THAT(TextsOf(dataset, 0), ElementsAre("i1", "i2"));
  EXPECT_THAT(TextsOf(dataset, 1), ElementsAre("m1", "m2"));
}

TEST_F(TarDataset, ASampleWithoutAPartIsAnErrorOrLeft) {
  bucket_.Put("p.tar", Tar({{"1.jpg", "i1"}, {"2.txt", "only text"}}));
  const Error error = ErrorOf([&] { bucket_.Open("mem://data/p.tar"); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("mem://data/p.tar"), HasSubstr("sample \"2\" at byte 1024"),
                                  HasSubstr("has no jpg or"), HasSubstr("members are \"txt\"")));
  const Dataset dataset = bucket_.Open("mem://data/p.tar", {.missing = Missing::kDrop});
  EXPECT_THAT(KeysOf(dataset), ElementsAre("p.tar/1"));
  EXPECT_EQ(dataset.dropped(), 1u);
  bucket_.Put("q.tar", Tar({{"2.txt", "only text"}}));
  EXPECT_THAT(ErrorOf([&] { bucket_.Open("mem://data/q.tar", {.missing = Missing::kDrop}); }).what(),
              HasSubstr("hold no sample that can be used"));
}

TEST_F(TarDataset, DamageIsAnErrorOrLoggedAndLeft) {
  bucket_.Put("d.tar", TarMember("1.jpg", "whole") + TarMember("2.jpg", "cut").substr(0, 514));
  const Error error = ErrorOf([&] { bucket_.Open("mem://data/d.tar"); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.what(),
              AllOf(HasSubstr("mem://data/d.tar"), HasSubstr("at byte 1024"), HasSubstr("damaged=")));
  const Dataset dataset = bucket_.Open("mem://data/d.tar", {.damaged = Damaged::kSkip});
  EXPECT_THAT(TextsOf(dataset), ElementsAre("whole"));
  EXPECT_EQ(dataset.dropped(), 1u);
}

TEST_F(TarDataset, EveryDamageIsLoggedUntilThereAreMany) {
  std::vector<std::string> messages;
  RuntimeOptions options = testing::Quiet();
  options.log = [&](LogLevel, std::string_view message) { messages.emplace_back(message); };
  Bucket bucket(options);
  std::string archive = TarMember("ok.jpg", "x");
  for (int i = 0; i < 12; ++i) archive += TarMember(std::to_string(i) + ".jpg", "x", 'S');
  bucket.Put("d.tar", archive + TarEnd());
  EXPECT_EQ(bucket.Open("mem://data/d.tar", {.damaged = Damaged::kSkip}).size(), 1u);
  ASSERT_EQ(messages.size(), 11u);
  EXPECT_THAT(messages[0], AllOf(HasSubstr("mem://data/d.tar"), HasSubstr("byte 1024"), HasSubstr("sparse")));
  EXPECT_THAT(messages[10], HasSubstr("2 more places"));
}

TEST_F(TarDataset, TheSameKeyTwiceNamesIt) {
  bucket_.Put("k.tar", Tar({{"1.jpg", "a"}, {"2.jpg", "b"}, {"1.png", "c"}}));
  EXPECT_THAT(ErrorOf([&] { bucket_.Open("mem://data/k.tar"); }).what(),
              HasSubstr("\"k.tar/1\" was added twice"));
}

TEST_F(TarDataset, ASavedIndexOpensWithoutTheShardsBeingRead) {
  const Dataset dataset = OpenBoth({.labels = Labels::Member("cls")});
  dataset.Save("mem://data/t.manifest");
  const Dataset again = bucket_.Open("mem://data/t.manifest");
  EXPECT_EQ(KeysOf(again), KeysOf(dataset));
  EXPECT_EQ(TextsOf(again), TextsOf(dataset));
  EXPECT_EQ(LabelsOf(again), LabelsOf(dataset));
  EXPECT_EQ(again.fingerprint(), dataset.fingerprint());
  EXPECT_THAT(
      ErrorOf([&] { bucket_.Open("mem://data/t.manifest", {.labels = Labels::Member("cls")}); }).what(),
      HasSubstr("saved index"));
}

TEST_F(TarDataset, AShardThatWasReplacedIsFoundOut) {
  const Dataset dataset = OpenBoth();
  bucket_.Put("t/train-1.tar", Tar({{"x/a.jpg", "THIRD"}, {"x/a.cls", "1"}}));
  EXPECT_EQ(dataset.Read(0).data.view(), "first");
  const Error error = ErrorOf([&] { dataset.Read(2); });
  EXPECT_EQ(error.code(), ErrorCode::kObjectChanged);
  EXPECT_THAT(error.what(), HasSubstr("mem://data/t/train-1.tar"));
}

TEST_F(TarDataset, TheSameShardTwiceIsARepeat) {
  const std::vector<std::string> twice = {"mem://data/t/train-0.tar", "mem://data/t/train-0.tar"};
  EXPECT_THAT(ErrorOf([&] { Dataset::OpenAll(bucket_.runtime(), twice); }).what(), HasSubstr("again in"));
  EXPECT_EQ(Dataset::OpenAll(bucket_.runtime(), twice, {.repeats = Repeats::kAllow}).size(), 4u);
}

TEST_F(TarDataset, AShardThatIsNotThereIsNotFound) {
  const Error error = ErrorOf([&] { bucket_.Open("mem://data/t/train-7.tar"); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("mem://data/t/train-7.tar"));
}

TEST_F(TarDataset, AnUnknownFormatNamesThoseThatAre) {
  EXPECT_THAT(ErrorOf([&] { bucket_.Open("mem://data/t/", {.format = "zip"}); }).what(),
              AllOf(HasSubstr("auto | objects | tfds | tar"), HasSubstr("\"zip\"")));
}

TEST_F(TarDataset, ShardsAndRawObjectsGoTogether) {
  bucket_.Put("raw/a.jpg", "raw");
  const Dataset dataset =
      Dataset::OpenAll(bucket_.runtime(), {"mem://data/raw/", "mem://data/t/train-{0..1}.tar"});
  EXPECT_THAT(TextsOf(dataset), ElementsAre("raw", "first", "second", "third"));
}

TEST_F(TarDataset, LargeMembersAreLeaptOver) {
  const std::string large(uint64_t{3} << 20, 'x');
  bucket_.Put("big.tar", Tar({{"1.jpg", large}, {"2.jpg", large}, {"3.jpg", large}, {"4.jpg", "end"}}));
  const Dataset dataset = bucket_.Open("mem://data/big.tar");
  EXPECT_EQ(dataset.Read(3).data.view(), "end");
  EXPECT_EQ(dataset.RecordBytes(0), large.size());
}

TEST_F(TarDataset, ProgressCountsSamples) {
  uint64_t told = 0;
  OpenBoth({.listing_progress = [&](uint64_t samples) { told = samples; }});
  EXPECT_EQ(told, 3u);
}

}  // namespace
}  // namespace bucketline
