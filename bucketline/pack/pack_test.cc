// Whole packs: what is written reads back as the dataset that it was made from.
#include "bucketline/pack/pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/pack/pack_testing.h"
#include "bucketline/records/label_column.h"

namespace bucketline {
namespace {

using testing::ContentOf;
using ::testing::ElementsAre;
using testing::PackBuckets;

class PackAs : public PackBuckets, public ::testing::WithParamInterface<const char*> {
 protected:
  PackOptions Options() const { return {.format = GetParam(), .shard_size = 20'000}; }
};

TEST_P(PackAs, TheIndexGivesTheSameRecordsAndLabels) {
  const Dataset raw = OpenRaw(Labels::Folder());
  const PackReport report = PackAll(raw, Options());
  EXPECT_EQ(report.records, 40u);
  EXPECT_EQ(report.skipped, 0u);
  EXPECT_EQ(report.kept_shards, 0u);
  EXPECT_EQ(report.index, "mem://out/p/index.manifest");
  EXPECT_EQ(report.bytes_read, raw.total_bytes());
  EXPECT_GT(report.shards, 3u);
  const auto objects = Objects();
  uint64_t bytes = 0;
  for (const std::string& name : Shards(objects)) {
    EXPECT_LE(objects.at(name).size(), 20'000u);
    bytes += objects.at(name).size();
  }
  EXPECT_EQ(Shards(objects).size(), report.shards);
  EXPECT_EQ(report.shard_bytes, bytes);
  EXPECT_EQ(report.bytes_written, bytes);
  const Dataset packed = bucket_.Open(report.index);
  EXPECT_EQ(packed.classes(), raw.classes());
  EXPECT_EQ(ContentOf(packed), ContentOf(raw));
  EXPECT_TRUE(packed.has_checksums());
}

TEST_P(PackAs, TheShardsAreReadWithoutTheIndexToo) {
  const Dataset raw = OpenRaw(Labels::Folder());
  PackAll(raw, Options());
  const std::string format = GetParam();
  const Dataset shards = bucket_.Open(
      "mem://out/p/", {.labels = format == "tar" ? Labels::Member("cls") : Labels::Member("label"),
                       .format = format,
                       .parts = {PartChoice::Parse(format == "tar" ? "bin" : "data")},
                       .extensions = {}});
  ASSERT_EQ(shards.size(), raw.size());
  for (uint64_t i = 0; i < raw.size(); ++i) {
    EXPECT_EQ(shards.Read(i).data.view(), raw.Read(i).data.view()) << i;
    EXPECT_EQ(shards.LabelInteger(i), raw.LabelInteger(i)) << i;
  }
}

TEST_P(PackAs, EveryKindOfLabel) {
  std::vector<int64_t> integers;
  std::vector<float> floats;
  for (int i = 0; i < 40; ++i) {
    integers.push_back(i - 7);
    floats.insert(floats.end(), {static_cast<float>(i) / 8, -1.5f});
  }
  const Dataset plain = OpenRaw();
  const auto check = [&](const Dataset& labelled, const std::string& place) {
    const PackReport report = PackAll(labelled, Options(), place);
    EXPECT_EQ(ContentOf(bucket_.Open(report.index)), ContentOf(labelled));
    EXPECT_EQ(bucket_.Open(report.index).label_kind(), labelled.label_kind());
  };
  check(plain, "mem://out/none/");
  check(plain.WithLabels(IntegerLabels(integers)), "mem://out/integers/");
  check(plain.WithLabels(FloatLabels({floats.begin(), floats.begin() + 40})), "mem://out/floats/");
  check(plain.WithLabels(VectorLabels(floats, 2)), "mem://out/vectors/");
  check(OpenRaw(Labels::Folder().OneHot()), "mem://out/one-hot/");
}

TEST_P(PackAs, AShuffleChangesTheShardsAndNotTheIndex) {
  const Dataset raw = OpenRaw(Labels::Folder());
  PackOptions options = Options();
  PackAll(raw, options, "mem://out/p/");
  options.shuffle = 7;
  const PackReport report = PackAll(raw, options, "mem://out/shuffled/");
  EXPECT_EQ(ContentOf(bucket_.Open(report.index)), ContentOf(raw));
  EXPECT_NE(Objects("shuffled/").at(Shards(Objects())[0]), Objects().at(Shards(Objects())[0]));
  const auto first = Objects("shuffled/");
  options.max_shards = 1;
  options.max_requests = 1;
  PackAll(raw, options, "mem://out/again/");
  for (const std::string& name : Shards(first)) EXPECT_EQ(Objects("again/").at(name), first.at(name));
}

TEST_P(PackAs, PartsStayTogether) {
  for (int i = 0; i < 7; ++i) {
    bucket_.Put(fmt::format("images/{}.jpg", i), fmt::format("image {}", i));
    bucket_.Put(fmt::format("masks/{}.png", i), fmt::format("mask {}", i));
  }
  const Dataset joined = Dataset::Join(
      {{"image", bucket_.Open("mem://data/images/")}, {"mask", bucket_.Open("mem://data/masks/")}});
  const PackReport report = PackAll(joined, Options());
  const Dataset packed = bucket_.Open(report.index);
  EXPECT_THAT(packed.part_names(), ElementsAre("image", "mask"));
  EXPECT_EQ(ContentOf(packed), ContentOf(joined));
}

TEST_P(PackAs, ShardsOfOneFormatBecomeThoseOfAnother) {
  PackAll(OpenRaw(Labels::Folder()), Options());
  const Dataset packed = bucket_.Open("mem://out/p/index.manifest");
  const PackReport report = PackAll(packed, {.format = "tar", .shard_size = 50'000}, "mem://out/second/");
  EXPECT_EQ(ContentOf(bucket_.Open(report.index)), ContentOf(packed));
}

TEST_P(PackAs, AViewAndSeveralSourcesAreOneList) {
  bucket_.Put("s/x.bin", "from elsewhere");
  const Dataset raw = OpenRaw();
  const Dataset both =
      Dataset::Concat({raw.Slice(5, 20), bucket_.Open("mem://data/s/", {.extensions = {}}), raw.Slice(30, 2)},
                      Repeats::kAllow);
  const PackReport report = PackAll(both, Options());
  std::vector<std::string> content = ContentOf(both);
  std::sort(content.begin(), content.end());
  EXPECT_EQ(ContentOf(bucket_.Open(report.index)), content);
}

INSTANTIATE_TEST_SUITE_P(Formats, PackAs, ::testing::Values("tar", "tfrecord", "mds"),
                         [](const auto& each) { return std::string(each.param); });

TEST_F(PackBuckets, EachShardHasAnIndexOfItsOwn) {
  const PackReport report = PackAll(OpenRaw(Labels::Folder()));
  uint64_t records = 0;
  for (uint64_t shard = 0; shard < report.shards; ++shard) {
    const Dataset one = bucket_.Open(fmt::format("mem://out/p/shard-{:06}.tar.manifest", shard));
    records += one.size();
    EXPECT_EQ(one.classes().size(), 3u);
    for (const std::string& record : ContentOf(one)) {
      EXPECT_THAT(ContentOf(OpenRaw(Labels::Folder())), ::testing::Contains(record));
    }
  }
  EXPECT_EQ(records, 40u);
}

TEST_F(PackBuckets, ProgressEndsAtAll) {
  uint64_t records = 0, bytes = 0;
  const Dataset raw = OpenRaw();
  PackAll(raw, {.progress = [&](uint64_t r, uint64_t b) {
            EXPECT_EQ(r, records + 1);
            records = r;
            bytes = b;
          }});
  EXPECT_EQ(records, 40u);
  EXPECT_EQ(bytes, raw.total_bytes());
}

}  // namespace
}  // namespace bucketline
