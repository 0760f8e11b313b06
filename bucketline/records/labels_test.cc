#include "bucketline/records/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::BuildManifest;
using records_testing::ManifestOfKeys;
using records_testing::RawRecord;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kPrefix = "p/";

// The labels of all records of one manifest.
LabelColumn ResolveOn(const Labels& labels, const Manifest& manifest, std::string_view prefix,
                      std::string_view table_bytes = {}) {
  return labels.Resolve(ManifestList({manifest}), {std::string(prefix)}, {.table = table_bytes}).column;
}

Manifest Animals() { return ManifestOfKeys({"p/cat/1.jpg", "p/cat/2.jpg", "p/dog/x/3.jpg"}); }

// The labels that `text` gives the three animals; the name of the table ends as `ending`.
LabelColumn Resolve(const std::string& ending, std::string_view text) {
  return ResolveOn(Labels::Table("s3://b/labels" + ending), Animals(), kPrefix, text);
}

std::string Message(const std::function<void()>& f, const std::string& uri) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error.uri(), uri) << error.what();
    return error.message();
  }
  return "nothing thrown";
}

std::string TableMessage(const std::string& ending, std::string_view text) {
  return Message([&] { Resolve(ending, text); }, "s3://b/labels" + ending);
}

TEST(Labels, NoneIsNone) {
  EXPECT_TRUE(Labels::None().is_none());
  EXPECT_FALSE(Labels::Folder().is_none());
  EXPECT_EQ(ResolveOn(Labels::None(), Animals(), kPrefix).kind, LabelKind::kNone);
  EXPECT_EQ(Labels::Folder().table_uri(), "");
  EXPECT_EQ(Labels::Table("s3://b/t.csv").table_uri(), "s3://b/t.csv");
}

TEST(Labels, FolderIsTheFirstBelowThePrefix) {
  const LabelColumn labels = ResolveOn(Labels::Folder(), Animals(), kPrefix);
  EXPECT_EQ(labels.kind, LabelKind::kClass);
  EXPECT_THAT(labels.classes, ElementsAre("cat", "dog"));
  EXPECT_THAT(labels.integers, ElementsAre(0, 0, 1));
  EXPECT_THAT(ResolveOn(Labels::Folder(), Animals(), "").classes, ElementsAre("p"));
  EXPECT_THAT(ResolveOn(Labels::Folder(), Animals(), "p").classes, ElementsAre("cat", "dog"));
  EXPECT_THAT(ResolveOn(Labels::Folder(), ManifestOfKeys({"p/cat/1", "p/car/2"}), "p/ca").classes,
              ElementsAre("car", "cat"));
  EXPECT_THAT(ResolveOn(Labels::Folder(), ManifestOfKeys({"train/1", "trap/2"}), "tra").classes,
              ElementsAre("train", "trap"));
}

TEST(Labels, ATableMayBeGivenAsText) {
  const Labels labels = Labels::TableText(R"({"cat/1.jpg": 1, "cat/2.jpg": 2, "dog/x/3.jpg": 3})");
  EXPECT_EQ(labels.table_uri(), "") << "nothing is to be read";
  EXPECT_THAT(ResolveOn(labels, Animals(), kPrefix).integers, ElementsAre(1, 2, 3));
  const Labels short_one = Labels::TableText(R"({"p/cat/1.jpg": 1})");
  EXPECT_THAT(Message([&] { ResolveOn(short_one, Animals(), kPrefix); }, "given labels.json"),
              HasSubstr("the table has no label for \"p/cat/2.jpg\""));
}

TEST(Labels, ParentIsTheLastFolder) {
  const LabelColumn labels = ResolveOn(Labels::Parent(), Animals(), kPrefix);
  EXPECT_THAT(labels.classes, ElementsAre("cat", "x"));
  EXPECT_THAT(labels.integers, ElementsAre(0, 0, 1));
  EXPECT_THAT(ResolveOn(Labels::Parent(), ManifestOfKeys({"p/1.jpg"}), kPrefix).classes, ElementsAre("p"));
}

TEST(Labels, KeysWithoutAFolderAreNamedWithTheRemedy) {
  const auto message = [](const Labels& labels, const std::string& key, std::string_view prefix) {
    return Message([&] { ResolveOn(labels, ManifestOfKeys({key, key + "/x/y"}), prefix); }, "s3://b/p/");
  };
  EXPECT_THAT(message(Labels::Folder(), "p/1.jpg", "p/"),
              AllOf(HasSubstr("the key \"p/1.jpg\" has no folder below \"p/\""), HasSubstr("table")));
  EXPECT_THAT(message(Labels::Folder(), "p//1.jpg", "p/"), HasSubstr("has no folder"));
  EXPECT_THAT(message(Labels::Folder(), "q/1.jpg", "p/"), HasSubstr("\"q/1.jpg\" is not below \"p/\""));
  EXPECT_THAT(message(Labels::Parent(), "1.jpg", ""), HasSubstr("the key \"1.jpg\" has no folder to take"));
  EXPECT_THAT(message(Labels::Parent(), "p//1.jpg", ""), HasSubstr("has no folder"));
}

TEST(Labels, ClassesFixTheOrder) {
  const LabelColumn labels = ResolveOn(Labels::Folder().Classes({"dog", "bird", "cat"}), Animals(), kPrefix);
  EXPECT_THAT(labels.classes, ElementsAre("dog", "bird", "cat"));
  EXPECT_THAT(labels.integers, ElementsAre(2, 2, 0));
  EXPECT_THAT(
      Message([] { ResolveOn(Labels::Folder().Classes({"cat", "bird"}), Animals(), kPrefix); }, "s3://b/p/"),
      HasSubstr("the label \"dog\" is none of the 2 classes given: cat, bird"));
  EXPECT_THAT(Message([] { ResolveOn(Labels::Folder().Classes({"cat", "dog", "cat"}), Animals(), kPrefix); },
                      "s3://b/p/"),
              HasSubstr("the class \"cat\" is given twice"));
}

TEST(Labels, WithClassesEveryLabelIsText) {
  const std::string_view csv = "file,label\np/cat/1.jpg,10\np/cat/2.jpg,9\np/dog/x/3.jpg,10\n";
  const LabelColumn labels = ResolveOn(Labels::Table("t.csv").Classes({"9", "10"}), Animals(), kPrefix, csv);
  EXPECT_EQ(labels.kind, LabelKind::kClass);
  EXPECT_THAT(labels.integers, ElementsAre(1, 0, 1));
  const std::string_view json = "{\"cat/1.jpg\": 10, \"cat/2.jpg\": 2.5, \"dog/x/3.jpg\": \"a\"}";
  EXPECT_THAT(
      ResolveOn(Labels::Table("t.json").Classes({"2.5", "10", "a"}), Animals(), kPrefix, json).integers,
      ElementsAre(1, 0, 2));
  const std::string_view list = "{\"cat/1.jpg\": [1], \"cat/2.jpg\": [1], \"dog/x/3.jpg\": [1]}";
  EXPECT_THAT(
      Message([&] { ResolveOn(Labels::Table("t.json").Classes({"1"}), Animals(), kPrefix, list); }, "t.json"),
      HasSubstr("a list, which cannot be a class"));
}

TEST(Labels, TableKeysHaveAnyOneForm) {
  for (const std::string prefix : {"s3://b/p/", "p/", ""}) {
    const std::string csv = "file,label\n" + prefix + "dog/x/3.jpg,b\n" + prefix + "cat/1.jpg,a\n" + prefix +
                            "cat/2.jpg,b\nelsewhere.jpg,c\n";
    const LabelColumn labels = Resolve(".csv", csv);
    EXPECT_THAT(labels.classes, ElementsAre("a", "b")) << prefix;  // "c" is of no record
    EXPECT_THAT(labels.integers, ElementsAre(0, 1, 1)) << prefix;
  }
}

TEST(Labels, MixedFormsAreNamed) {
  const std::string message =
      TableMessage(".csv", "file,label\np/cat/1.jpg,a\np/cat/2.jpg,a\ndog/x/3.jpg,b\n");
  EXPECT_THAT(message, AllOf(HasSubstr("mixes forms"), HasSubstr("\"p/cat/1.jpg\" (line 2) is a key"),
                             HasSubstr("\"dog/x/3.jpg\" (line 4) is a key below the prefix")));
  EXPECT_THAT(TableMessage(".csv", "file,label\ns3://b/p/cat/1.jpg,a\np/cat/2.jpg,a\ndog/x/3.jpg,b\n"),
              HasSubstr("\"s3://b/p/cat/1.jpg\" (line 2) is a whole URI"));
}

// "a/x" is the key of one record and, below the prefix, of another.
TEST(Labels, FormThatFitsAllRecordsWins) {
  const Manifest manifest = ManifestOfKeys({"a/a/x", "a/x"});
  const std::string_view keys = "file,label\na/x,1\na/a/x,2\n";
  EXPECT_THAT(ResolveOn(Labels::Table("t.csv"), manifest, "a/", keys).integers, ElementsAre(2, 1));
  const std::string_view below = "file,label\na/x,1\nx,2\n";
  EXPECT_THAT(ResolveOn(Labels::Table("t.csv"), manifest, "a/", below).integers, ElementsAre(1, 2));
}

TEST(Labels, MissingLabelsAreNamedAndCounted) {
  const std::string remedy = "; missing drop leaves such records out";
  EXPECT_EQ(TableMessage(".csv", "file,label\ncat/2.jpg,a\ncat/1.jpg,a\n"),
            "the table has no label for \"p/dog/x/3.jpg\"" + remedy);
  EXPECT_EQ(
      TableMessage(".csv", "file,label\ncat/2.jpg,a\n"),
      "the table has no label for \"p/cat/1.jpg\"; 1 more of the 3 records have no label either" + remedy);
  EXPECT_EQ(TableMessage(".csv", "file,label\n"), "the table has no rows");
  EXPECT_THAT(TableMessage(".csv", "file,label\n/data/1.jpg,a\n"),
              AllOf(HasSubstr("no key in the table is in the dataset"), HasSubstr("\"/data/1.jpg\""),
                    HasSubstr("\"p/cat/1.jpg\"")));
}

TEST(Labels, AKeyTwiceMustAgree) {
  const std::string rows = "file,label\ncat/1.jpg,a\ncat/2.jpg,a\ndog/x/3.jpg,b\n";
  EXPECT_THAT(Resolve(".csv", rows + "cat/1.jpg,a\n").integers, ElementsAre(0, 0, 1));
  EXPECT_THAT(TableMessage(".csv", rows + "cat/1.jpg,b\n"),
              HasSubstr("line 5: the key \"cat/1.jpg\" has another label than in line 2"));
  EXPECT_THAT(TableMessage(".json", "{\"cat/1.jpg\": 1, \"cat/1.jpg\": 2}"), HasSubstr("entry 2: the key"));
}

std::string Csv(std::string_view a, std::string_view b, std::string_view c) {
  return std::string("file,label\ncat/1.jpg,") + std::string(a) + "\ncat/2.jpg," + std::string(b) +
         "\ndog/x/3.jpg," + std::string(c) + "\nunused.jpg,word\n";
}

std::string Json(std::string_view a, std::string_view b, std::string_view c) {
  return std::string("{\"cat/1.jpg\": ") + std::string(a) + ", \"cat/2.jpg\": " + std::string(b) +
         ", \"dog/x/3.jpg\": " + std::string(c) + ", \"unused.jpg\": \"word\"}";
}

TEST(Labels, CsvNumbersAreNumbersIfAllAre) {
  const LabelColumn integers = Resolve(".csv", Csv("7", "-2", " 03 "));
  EXPECT_EQ(integers.kind, LabelKind::kInteger);
  EXPECT_THAT(integers.integers, ElementsAre(7, -2, 3));
  const LabelColumn floats = Resolve(".csv", Csv("7", "-2.5", "1e3"));
  EXPECT_EQ(floats.kind, LabelKind::kFloat);
  EXPECT_THAT(floats.floats, ElementsAre(7, -2.5, 1000));
  const LabelColumn words = Resolve(".csv", Csv("7", "1.5", "seven"));
  EXPECT_EQ(words.kind, LabelKind::kClass);
  EXPECT_THAT(words.classes, ElementsAre("1.5", "7", "seven"));
  EXPECT_EQ(Resolve(".csv", Csv("nan", "inf", "x")).kind, LabelKind::kClass);
  EXPECT_EQ(Resolve(".csv", Csv("1 2", "1", "2")).kind, LabelKind::kClass);
}

TEST(Labels, JsonSaysWhichKindItIs) {
  EXPECT_THAT(Resolve(".json", Json("7", "-2", "true")).integers, ElementsAre(7, -2, 1));
  EXPECT_EQ(Resolve(".json", Json("7", "-2", "3")).kind, LabelKind::kInteger);
  const LabelColumn floats = Resolve(".json", Json("7", "-2", "0.5"));
  EXPECT_EQ(floats.kind, LabelKind::kFloat);
  EXPECT_THAT(floats.floats, ElementsAre(7, -2, 0.5));
  const LabelColumn words = Resolve(".json", Json("\"7\"", "\"8\"", "\"7\""));
  EXPECT_EQ(words.kind, LabelKind::kClass);
  EXPECT_THAT(words.integers, ElementsAre(0, 1, 0));
  const LabelColumn vectors = Resolve(".json", Json("[1, 2]", "[3, 4.5]", "[5, 6]"));
  EXPECT_EQ(vectors.kind, LabelKind::kVector);
  EXPECT_EQ(vectors.width, 2u);
  EXPECT_THAT(vectors.floats, ElementsAre(1, 2, 3, 4.5, 5, 6));
}

TEST(Labels, LabelsThatMakeNoColumnAreNamed) {
  EXPECT_THAT(
      TableMessage(".json", Json("7", "\"x\"", "3")),
      HasSubstr("entry 2: the label of \"cat/2.jpg\" is text where that of \"cat/1.jpg\" is a number"));
  EXPECT_THAT(TableMessage(".json", Json("[1]", "2", "3")), HasSubstr("is a number where"));
  EXPECT_THAT(
      TableMessage(".json", Json("[1, 2]", "[1, 2]", "[1]")),
      HasSubstr("entry 3: the label of \"dog/x/3.jpg\" has 1 numbers where that of \"cat/1.jpg\" has 2"));
  EXPECT_THAT(TableMessage(".json", Json("[]", "[]", "[]")), HasSubstr("is an empty list"));
  EXPECT_THAT(TableMessage(".json", Json("1.5", "1e39", "1")),
              HasSubstr("\"cat/2.jpg\" is not a finite number"));
  EXPECT_THAT(TableMessage(".json", Json("[1.5]", "[2]", "[-1e39]")), HasSubstr("not a finite number"));
  EXPECT_THAT(TableMessage(".csv", Csv("1.5", "nan", "1")),
              HasSubstr("line 3: the label of \"cat/2.jpg\" is not"));
  EXPECT_THAT(TableMessage(".csv", Csv("1.5", "1e999", "1")), HasSubstr("not a finite number"));
  EXPECT_THAT(TableMessage(".csv", Csv("a", "", "b")),
              HasSubstr("line 3: the label of \"cat/2.jpg\" is empty"));
  EXPECT_THAT(TableMessage(".json", Json("\"a\"", "\"\"", "\"b\"")), HasSubstr("is empty"));
}

TEST(Labels, ColumnNamesAreTheCallers) {
  const Labels labels = Labels::Table("t.jsonl", "path", "kind");
  const LabelColumn column = ResolveOn(labels, ManifestOfKeys({"p/a"}), kPrefix,
                                       "{\"path\": \"a\", \"kind\": \"x\", \"label\": 3}\n");
  EXPECT_THAT(column.classes, ElementsAre("x"));
}

TEST(Labels, AnEmptyDatasetHasNoLabels) {
  EXPECT_TRUE(ResolveOn(Labels::Folder(), Manifest(), "").integers.empty());
  EXPECT_TRUE(ResolveOn(Labels::Table("t.csv"), Manifest(), "", "file,label\nx,1\n").integers.empty());
}

TEST(Labels, FilesAreNamedByTheirPaths) {
  const Manifest manifest = BuildManifest({RawRecord("/data/cat/1.jpg", 1)}, "/data");
  EXPECT_THAT(ResolveOn(Labels::Folder(), manifest, "/data").classes, ElementsAre("cat"));
  EXPECT_THAT(ResolveOn(Labels::Table("t.json"), manifest, "/data", "{\"/data/cat/1.jpg\": 5}").integers,
              ElementsAre(5));
  EXPECT_THAT(ResolveOn(Labels::Table("t.json"), manifest, "/data", "{\"cat/1.jpg\": 5}").integers,
              ElementsAre(5));
}

Labelling LabellingOf(const Labels& labels, std::string_view table = {}) {
  return labels.Resolve(ManifestList({Animals()}), {"p/"}, {.table = table});
}

TEST(Labels, RecordsWithoutALabelMayLeave) {
  Labels table = Labels::Table("t.csv").IfMissing(Missing::kDrop);
  const Labelling two = LabellingOf(table, "file,label\np/dog/x/3.jpg,b\np/cat/1.jpg,a\n");
  EXPECT_THAT(two.unlabelled, ElementsAre(1));
  EXPECT_THAT(two.column.integers, ElementsAre(0, 1));
  EXPECT_THAT(two.column.classes, ElementsAre("a", "b"));
  EXPECT_THAT(LabellingOf(table, "file,label\np/cat/1.jpg,a\np/cat/2.jpg,a\np/dog/x/3.jpg,a\n").unlabelled,
              ::testing::IsEmpty());
  const Manifest mixed = ManifestOfKeys({"p/1.jpg", "p/cat/2.jpg"});
  EXPECT_THAT(Labels::Folder().IfMissing(Missing::kDrop).Resolve(ManifestList({mixed}), {"p/"}).unlabelled,
              ElementsAre(0));
}

TEST(Labels, NotAllRecordsMayLeave) {
  const Labels none = Labels::Pattern("(horse)").IfMissing(Missing::kDrop);
  EXPECT_THAT(Message([&] { LabellingOf(none); }, "s3://b/p/"),
              AllOf(HasSubstr("finds no label in the key \"p/cat/1.jpg\""),
                    HasSubstr("2 more of the 3 records have no label either"),
                    ::testing::Not(HasSubstr("missing drop"))));
}

TEST(Labels, APatternFindsThemInTheKey) {
  const LabelColumn first = LabellingOf(Labels::Pattern("/([a-z]+)/.*([0-9])")).column;
  EXPECT_THAT(first.classes, ElementsAre("cat", "dog"));
  const LabelColumn named = LabellingOf(Labels::Pattern("([a-z]+)/(?:x/)?(?P<label>[0-9])")).column;
  EXPECT_THAT(named.classes, ElementsAre("1", "2", "3"));
  EXPECT_THAT(Message([] { LabellingOf(Labels::Pattern("p/cat/([0-9])")); }, "s3://b/p/"),
              AllOf(HasSubstr("the pattern \"p/cat/([0-9])\" finds no label in the key \"p/dog/x/3.jpg\""),
                    HasSubstr("missing drop")));
  EXPECT_THAT(Message([] { Labels::Pattern("p/cat"); }, ""), HasSubstr("has no group"));
}

TEST(Labels, NamesMatchWhereverTheObjectLies) {
  const Labels labels = Labels::Table("t.csv").Match(KeyMatch::kName);
  EXPECT_THAT(LabellingOf(labels, "file,label\n3.jpg,b\n1.jpg,a\n2.jpg,b\n").column.integers,
              ElementsAre(0, 1, 1));
  EXPECT_THAT(
      Message([&] { LabellingOf(labels, "file,label\np/cat/1.jpg,a\n"); }, "t.csv"),
      AllOf(HasSubstr("no key in the table is in the dataset"), HasSubstr("what follows the last \"/\"")));
  EXPECT_THAT(Message([&] { LabellingOf(labels, "file,label\n1.jpg,a\n"); }, "t.csv"),
              HasSubstr("no label for \"p/cat/2.jpg\""));
}

TEST(Labels, ANameOfTwoRecordsIsAmbiguous) {
  const Labels labels = Labels::Table("t.csv").Match(KeyMatch::kName);
  const Manifest manifest = ManifestOfKeys({"p/a/1.jpg", "p/b/1.jpg", "p/b/2.jpg"});
  const auto resolve = [&] { ResolveOn(labels, manifest, kPrefix, "file,label\n2.jpg,a\n1.jpg,b\n"); };
  EXPECT_THAT(Message(resolve, "t.csv"),
              HasSubstr("line 3: the name \"1.jpg\" is that of both \"p/a/1.jpg\" and \"p/b/1.jpg\""));
}

TEST(Labels, OneHotIsAVectorThatKnowsItsClasses) {
  const LabelColumn labels = LabellingOf(Labels::Folder().OneHot()).column;
  EXPECT_EQ(labels.kind, LabelKind::kVector);
  EXPECT_EQ(labels.width, 2u);
  EXPECT_THAT(labels.classes, ElementsAre("cat", "dog"));
  EXPECT_THAT(labels.floats, ElementsAre(1, 0, 1, 0, 0, 1));
  EXPECT_THAT(Message([] { LabellingOf(Labels::Table("t.csv").OneHot(), Csv("1", "2", "3")); }, ""),
              HasSubstr("these are integers"));
  EXPECT_THAT(
      LabellingOf(Labels::Table("t.csv").Classes({"1", "2", "3"}).OneHot(), Csv("1", "2", "3")).column.floats,
      ElementsAre(1, 0, 0, 0, 1, 0, 0, 0, 1));
}

TEST(Labels, SeveralManifestsAreLabelledTogether) {
  const ManifestList records({ManifestOfKeys({"a/x/1.jpg"}), ManifestOfKeys({"b/w/1.jpg", "b/x/2.jpg"})});
  const LabelColumn folders = Labels::Folder().Resolve(records, {"a/", "b/"}).column;
  EXPECT_THAT(folders.classes, ElementsAre("w", "x"));
  EXPECT_THAT(folders.integers, ElementsAre(1, 0, 1));
  EXPECT_THAT(Message([&] { Labels::Pattern("(a/x|w)").Resolve(records, {"a/", "b/"}); }, "s3://b/p/"),
              HasSubstr("\"b/x/2.jpg\""));
  // One row is a number, so is another's, and the third makes all of them floats.
  const LabelColumn table =
      Labels::Table("t.csv")
          .Resolve(records, {"a/", "b/"}, {.table = "file,label\nx/1.jpg,1\nw/1.jpg,2\nx/2.jpg,2.5\n"})
          .column;
  EXPECT_THAT(table.floats, ElementsAre(1, 2, 2.5));
}

TEST(Labels, AMemberNeedsAName) {
  EXPECT_THAT(records_testing::MessageOf(ErrorCode::kInvalidArgument, [] { Labels::Member(""); }),
              HasSubstr("needs a name"));
  EXPECT_EQ(Labels::Member("json", "kind").label_field(), "kind");
}

}  // namespace
}  // namespace bucketline
