#include "bucketline/channel/channel_objects.h"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/channel/local_paths.h"
#include "bucketline/dataset/dataset_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::Bucket;
using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Strings = std::vector<std::string>;

ChannelSpec Spec(std::string uri, ChannelData data = ChannelData::kS3Prefix, Strings attributes = {}) {
  ChannelSpec spec;
  spec.name = "train";
  spec.uri = std::move(uri);
  spec.mode = ChannelMode::kPipe;
  spec.data = data;
  spec.attributes = std::move(attributes);
  return spec;
}

// What an epoch sends: keys, and texts as they are.
Strings Epoch(const ChannelObjects& objects, uint64_t epoch) {
  Strings pieces;
  for (uint64_t i = 0; i < objects.pieces(); ++i) {
    const ChannelPiece piece = objects.At(epoch, i);
    pieces.push_back(piece.object ? objects.objects().Key(*piece.object) : std::string(piece.text));
  }
  return pieces;
}

Strings Paths(const ChannelObjects& objects) {
  Strings paths;
  for (uint64_t i = 0; i < objects.files().size(); ++i) {
    paths.push_back(objects.files().Key(i).substr(objects.path_start()));
  }
  return paths;
}

class ChannelObjectsTest : public ::testing::Test {
 protected:
  ChannelObjects Open(const ChannelSpec& spec, ChannelHost host = {}, ChannelObjectsOptions options = {}) {
    return ChannelObjects::Open(bucket_.runtime(), spec, host, std::move(options));
  }

  Bucket bucket_;
};

TEST_F(ChannelObjectsTest, APrefixIsThoseBytesAndNotAFolder) {
  for (const char* key : {"d/train-1/x", "d/train/b", "d/train/a", "d/train", "d/test/a", "d/trai"}) {
    bucket_.Put(key, "1");
  }
  const ChannelObjects objects = Open(Spec("mem://data/d/train"));
  EXPECT_THAT(Epoch(objects, 0), ElementsAre("d/train", "d/train-1/x", "d/train/a", "d/train/b"));
  EXPECT_EQ(Epoch(objects, 3), Epoch(objects, 0));
  EXPECT_THAT(Paths(objects), ElementsAre("train", "train-1/x", "train/a", "train/b"));
  EXPECT_THROW(CheckPaths(objects.files(), objects.path_start()), Error);
}

TEST_F(ChannelObjectsTest, AWholeKeyIsAFileOfItsLastName) {
  bucket_.Put("d/one.csv", "1");
  const ChannelObjects objects = Open(Spec("mem://data/d/one.csv"));
  EXPECT_THAT(Epoch(objects, 0), ElementsAre("d/one.csv"));
  EXPECT_THAT(Paths(objects), ElementsAre("one.csv"));
}

TEST_F(ChannelObjectsTest, FolderMarkersAreNoObjects) {
  bucket_.Put("d/", "");
  bucket_.Put("d/e/", "");
  bucket_.Put("d/empty", "");
  EXPECT_THAT(Epoch(Open(Spec("mem://data/d/")), 0), ElementsAre("d/empty"));
}

TEST_F(ChannelObjectsTest, AnEmptyPrefixIsAnErrorInSageMakersWords) {
  bucket_.Put("d/", "");
  const Error error = ErrorOf([&] { Open(Spec("mem://data/d/")); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(
      error.message(),
      AllOf(HasSubstr("No S3 objects found under S3 URL \"mem://data/d/\" given in input data source"),
            HasSubstr("s3:ListBucket")));
}

TEST_F(ChannelObjectsTest, AManifestNamesObjectsInItsOrder) {
  for (const char* key : {"some/pre/a", "some/pre/z", "some/prefix", "some/other"}) bucket_.Put(key, "1");
  bucket_.Put("m", R"([{"prefix": "mem://data/some/pre"}, "/z", "fix", "/a", "/z"])");
  const ChannelSpec spec = Spec("mem://data/m", ChannelData::kManifestFile);
  const ChannelObjects objects = Open(spec);
  EXPECT_THAT(Epoch(objects, 0), ElementsAre("some/pre/z", "some/prefix", "some/pre/a", "some/pre/z"));
  EXPECT_THAT(Paths(objects), ElementsAre("some/pre/a", "some/pre/z", "some/prefix"));
  EXPECT_THAT(Paths(Open(spec, {}, {.manifest_paths = ManifestPaths::kBelowPrefix})),
              ElementsAre("pre/a", "pre/z", "prefix"));
}

TEST_F(ChannelObjectsTest, AManifestsObjectsArePinnedAsTheyWereFound) {
  bucket_.Put("a", "12345");
  bucket_.Put("m", R"([{"prefix": "mem://data/"}, "a"])");
  const ChannelObjects objects = Open(Spec("mem://data/m", ChannelData::kManifestFile));
  EXPECT_EQ(objects.objects().Read(0).data.view(), "12345");
  bucket_.Put("a", "54321");
  EXPECT_EQ(ErrorOf([&] { objects.objects().Read(0); }).code(), ErrorCode::kObjectChanged);
}

TEST_F(ChannelObjectsTest, AManifestsMissingObjectIsNamedWithItsPlace) {
  bucket_.Put("a", "1");
  bucket_.Put("m", R"([{"prefix": "mem://data/"}, "a", "gone"])");
  const Error error = ErrorOf([&] { Open(Spec("mem://data/m", ChannelData::kManifestFile)); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_EQ(error.uri(), "mem://data/gone");
  EXPECT_THAT(error.message(), HasSubstr("element 2 of mem://data/m"));
}

TEST_F(ChannelObjectsTest, ABrokenManifestIsNamed) {
  bucket_.Put("m", "[nope");
  for (const ChannelData data : {ChannelData::kManifestFile, ChannelData::kAugmentedManifestFile}) {
    const Error error = ErrorOf([&] { Open(Spec("mem://data/m", data, {"a"})); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error.uri(), "mem://data/m");
    EXPECT_THAT(error.message(), HasSubstr("line 1"));
  }
}

TEST_F(ChannelObjectsTest, AManifestMustNameObjects) {
  bucket_.Put("m", R"([{"prefix": "mem://"}, "data", "data/a"])");
  const Error error = ErrorOf([&] { Open(Spec("mem://data/m", ChannelData::kManifestFile)); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("a bucket, not an object"), HasSubstr("element 1")));
}

TEST_F(ChannelObjectsTest, AnAugmentedManifestMixesObjectsAndValues) {
  bucket_.Put("2.jpg", "two");
  bucket_.Put("1.jpg", "one");
  bucket_.Put("m",
              "{\"i-ref\": \"mem://data/2.jpg\", \"label\": 7}\n"
              "{\"i-ref\": \"mem://data/1.jpg\", \"label\": \"x\"}\n"
              "{\"i-ref\": \"mem://data/2.jpg\", \"label\": [1]}\n");
  const ChannelObjects objects =
      Open(Spec("mem://data/m", ChannelData::kAugmentedManifestFile, {"i-ref", "label"}));
  EXPECT_THAT(Epoch(objects, 0), ElementsAre("2.jpg", "7", "1.jpg", "x", "2.jpg", "[1]"));
  EXPECT_EQ(objects.objects().size(), 2u);
}

TEST_F(ChannelObjectsTest, AnAugmentedManifestReachesIntoSeveralBuckets) {
  const std::shared_ptr<ObjectStore> other = MakeMemoryStore("other");
  PutBytes(*other, "a", std::string_view("in other"));
  bucket_.runtime().AddStore("other", other);
  bucket_.Put("a", "in data");
  bucket_.Put("m", "{\"x-ref\": \"mem://other/a\"}\n{\"x-ref\": \"mem://data/a\"}\n");
  const ChannelObjects objects = Open(Spec("mem://data/m", ChannelData::kAugmentedManifestFile, {"x-ref"}));
  EXPECT_EQ(objects.objects().Read(*objects.At(0, 0).object).data.view(), "in other");
  EXPECT_EQ(objects.objects().Read(*objects.At(0, 1).object).data.view(), "in data");
}

TEST_F(ChannelObjectsTest, AnAugmentedManifestMayHaveNoObjects) {
  bucket_.Put("m", "{\"label\": 1}\n{\"label\": 2}\n");
  const ChannelObjects objects = Open(Spec("mem://data/m", ChannelData::kAugmentedManifestFile, {"label"}));
  EXPECT_THAT(Epoch(objects, 0), ElementsAre("1", "2"));
  EXPECT_EQ(objects.objects().size(), 0u);
}

TEST_F(ChannelObjectsTest, AnAugmentedManifestsMissingObjectIsNamedWithItsLine) {
  bucket_.Put("m", "{\"x-ref\": \"mem://data/m\"}\n\n{\"x-ref\": \"mem://data/gone\"}\n");
  const Error error =
      ErrorOf([&] { Open(Spec("mem://data/m", ChannelData::kAugmentedManifestFile, {"x-ref"})); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.message(), HasSubstr("line 3 of mem://data/m"));
}

TEST_F(ChannelObjectsTest, AnAugmentedManifestNeedsAttributes) {
  const Error error = ErrorOf([&] { Open(Spec("mem://data/m", ChannelData::kAugmentedManifestFile)); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), HasSubstr("attributes"));
}

// Hosts of every kind of channel: their shares are disjoint, together they are all, and never differ by more than one.
TEST_F(ChannelObjectsTest, ShardsDealTheEntriesOfEveryEpoch) {
  std::string lines;
  std::string suffixes;
  for (char c = 'a'; c < 'h'; ++c) {
    bucket_.Put(std::string("p/") + c, std::string(1, c));
    lines += std::string("{\"x-ref\": \"mem://data/p/") + c + "\"}\n";
    suffixes += std::string(", \"") + c + "\"";
  }
  bucket_.Put("m", "[{\"prefix\": \"mem://data/p/\"}" + suffixes + "]");
  bucket_.Put("lines", lines);
  for (ChannelSpec spec : {Spec("mem://data/p/"), Spec("mem://data/m", ChannelData::kManifestFile),
                           Spec("mem://data/lines", ChannelData::kAugmentedManifestFile, {"x-ref"})}) {
    const Strings all = Epoch(Open(spec), 0);
    for (const bool shuffled : {false, true}) {
      spec.sharded = true;
      if (shuffled) spec.shuffle_seed = 9;
      for (const size_t hosts : {2, 3, 9}) {
        for (const uint64_t epoch : {0, 1}) {
          Strings dealt;
          for (size_t host = 0; host < hosts; ++host) {
            const Strings share = Epoch(Open(spec, {host, hosts}), epoch);
            EXPECT_THAT(share.size(), ::testing::AnyOf(7 / hosts, 7 / hosts + 1));
            dealt.insert(dealt.end(), share.begin(), share.end());
          }
          std::sort(dealt.begin(), dealt.end());
          EXPECT_EQ(dealt, all);
        }
      }
    }
  }
}

TEST_F(ChannelObjectsTest, ShardsAreEveryNthObjectOfTheSortedList) {
  for (const char* key : {"p/a", "p/b", "p/c", "p/d", "p/e"}) bucket_.Put(key, "1");
  ChannelSpec spec = Spec("mem://data/p/");
  spec.sharded = true;
  EXPECT_THAT(Epoch(Open(spec, {1, 2}), 0), ElementsAre("p/b", "p/d"));
  EXPECT_THAT(Paths(Open(spec, {0, 2})), ElementsAre("a", "c", "e"));
  EXPECT_THAT(Paths(Open(spec, {6, 7})), IsEmpty());
  spec.sharded = false;
  EXPECT_EQ(Paths(Open(spec, {1, 2})).size(), 5u);
}

TEST_F(ChannelObjectsTest, AShuffleIsAnotherOrderInEveryEpochAndMovesEntriesBetweenHosts) {
  for (int i = 0; i < 40; ++i) bucket_.Put("p/" + std::to_string(100 + i), "1");
  ChannelSpec spec = Spec("mem://data/p/");
  spec.shuffle_seed = -5;
  const ChannelObjects objects = Open(spec);
  const Strings first = Epoch(objects, 0);
  EXPECT_FALSE(std::is_sorted(first.begin(), first.end()));
  EXPECT_NE(Epoch(objects, 1), first);
  EXPECT_EQ(Epoch(Open(spec), 0), first);
  spec.sharded = true;
  const ChannelObjects share = Open(spec, {0, 2});
  const auto set_of = [](const Strings& keys) { return std::set<std::string>(keys.begin(), keys.end()); };
  EXPECT_NE(set_of(Epoch(share, 0)), set_of(Epoch(share, 1)));
  EXPECT_EQ(Paths(share).size(), 20u);
}

TEST_F(ChannelObjectsTest, ShuffledLinesKeepTheirAttributesTogether) {
  std::string lines;
  for (int i = 0; i < 20; ++i)
    lines += "{\"a\": " + std::to_string(i) + ", \"b\": " + std::to_string(i) + "}\n";
  bucket_.Put("lines", lines);
  ChannelSpec spec = Spec("mem://data/lines", ChannelData::kAugmentedManifestFile, {"a", "b"});
  spec.shuffle_seed = 1;
  const Strings pieces = Epoch(Open(spec), 2);
  ASSERT_EQ(pieces.size(), 40u);
  for (size_t i = 0; i < pieces.size(); i += 2) EXPECT_EQ(pieces[i], pieces[i + 1]);
}

TEST_F(ChannelObjectsTest, StopsOnRequest) {
  bucket_.Put("p/a", "1");
  bucket_.Put("m", R"([{"prefix": "mem://data/p/"}, "a"])");
  std::stop_source stop;
  stop.request_stop();
  for (const ChannelSpec& spec : {Spec("mem://data/p/"), Spec("mem://data/m", ChannelData::kManifestFile)}) {
    EXPECT_EQ(ErrorOf([&] { Open(spec, {}, {.stop = stop.get_token()}); }).code(), ErrorCode::kCancelled);
  }
}

}  // namespace
}  // namespace bucketline
