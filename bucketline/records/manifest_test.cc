#include "bucketline/records/manifest.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/hash.h"
#include "bucketline/records/manifest_format.h"
#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::BuildManifest;
using records_testing::ManifestOfKeys;
using records_testing::Md5Etag;
using records_testing::MessageOf;
using records_testing::RawRecord;
using records_testing::Same;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Keys of 60 characters with 16 random hexadecimal digits, random MD5 ETags, sizes of photographs.
std::vector<Record> Photographs(size_t count, std::mt19937_64& random) {
  std::vector<Record> records;
  for (size_t i = 0; i < count; ++i) {
    char folder[16];
    std::snprintf(folder, sizeof(folder), "n%08u", static_cast<unsigned>(random() % 1000));
    const std::string digits = Hex(Md5(std::to_string(random()))).substr(0, 16);
    const std::string key = std::string("imagenet/train/") + folder + "/photo_" + digits + "_original.jpeg";
    records.push_back(RawRecord(key.substr(0, 59) + "g", 20000 + random() % 400000, Md5Etag(random)));
  }
  return records;
}

void SortByKey(std::vector<Record>* records) {
  std::sort(records->begin(), records->end(), [](const Record& a, const Record& b) { return a.key < b.key; });
}

Bytes WithByte(const Bytes& bytes, size_t at, int flip) {
  std::string text = bytes.ToString();
  text[at] = static_cast<char>(text[at] ^ flip);
  return Bytes::Copy(text);
}

TEST(Manifest, HoldsWhatWasAddedInOrderOfKeys) {
  std::mt19937_64 random(1);
  std::vector<Record> records = Photographs(1000, random);
  const Manifest manifest = BuildManifest(records, "s3://bucket/train/");
  SortByKey(&records);
  ASSERT_EQ(manifest.size(), records.size());
  EXPECT_EQ(manifest.source(), "s3://bucket/train/");
  EXPECT_THAT(manifest.part_names(), ElementsAre("data"));
  uint64_t total = 0, largest = 0, largest_index = 0;
  for (uint64_t i = 0; i < records.size(); ++i) {
    ASSERT_EQ(manifest.Key(i), records[i].key);
    ASSERT_TRUE(Same(manifest.At(i), records[i]));
    const uint64_t bytes = records[i].parts[0].length;
    ASSERT_EQ(manifest.RecordBytes(i), bytes);
    total += bytes;
    if (bytes > largest) largest = bytes, largest_index = i;
  }
  EXPECT_EQ(manifest.total_bytes(), total);
  EXPECT_EQ(manifest.largest_record(), largest);
  EXPECT_EQ(manifest.largest_record_index(), largest_index);
}

TEST(Manifest, OrderIsBytewise) {
  const Manifest manifest = ManifestOfKeys({"b", "a/b", "\xc3\xa4", "a", "B", "a-"});
  std::vector<std::string> keys;
  for (uint64_t i = 0; i < manifest.size(); ++i) keys.push_back(manifest.Key(i));
  EXPECT_THAT(keys, ElementsAre("B", "a", "a-", "a/b", "b", "\xc3\xa4"));
}

TEST(Manifest, TakesAtMost48BytesARecord) {
  std::mt19937_64 random(2);
  const std::vector<Record> records = Photographs(100000, random);
  ASSERT_EQ(records.front().key.size(), 60u);
  const Manifest manifest = BuildManifest(records);
  const double bytes = static_cast<double>(manifest.ToBytes().size()) / 100000;
  RecordProperty("bytes_a_record", std::to_string(bytes));
  EXPECT_LE(bytes, 48);
}

// More records than the builder holds uncompressed, added in random order, in reverse, and in order.
TEST(Manifest, IsTheSameInWhateverOrderItWasBuilt) {
  std::mt19937_64 random(3);
  std::vector<Record> records = Photographs(70000, random);
  const std::string bytes = BuildManifest(records).ToBytes().ToString();
  SortByKey(&records);
  EXPECT_TRUE(bytes == BuildManifest(records).ToBytes().view());
  std::reverse(records.begin(), records.end());
  const Manifest reversed = BuildManifest(records);
  EXPECT_TRUE(bytes == reversed.ToBytes().view());
  for (uint64_t i = 0; i < records.size(); i += 997) {
    ASSERT_TRUE(Same(reversed.At(i), records[records.size() - 1 - i]));
  }
}

TEST(Manifest, EmptyOnesWork) {
  for (const Manifest& manifest :
       {Manifest(), ManifestBuilder("").Build(), Manifest::FromBytes(Manifest().ToBytes())}) {
    EXPECT_EQ(manifest.size(), 0u);
    EXPECT_EQ(manifest.total_bytes(), 0u);
    EXPECT_EQ(manifest.largest_record(), 0u);
    EXPECT_EQ(manifest.largest_record_index(), 0u);
    EXPECT_EQ(manifest.labels().kind, LabelKind::kNone);
    EXPECT_THAT(manifest.part_names(), ElementsAre("data"));
  }
}

TEST(Manifest, RecordsMayHavePartsAndRanges) {
  const std::vector<Record> records = {
      {"a", {{"images/a.jpg", 0, 10, 10, "\"x\""}, {"masks.tar", 512, 100, 10240, "\"y\""}}},
      {"b", {{"images/b.jpg", 0, 20, 20, ""}, {"masks.tar", 1536, 300, 10240, "\"y\""}}}};
  const Manifest manifest = BuildManifest(records, "s3://b/", {"image", "mask"});
  EXPECT_THAT(manifest.part_names(), ElementsAre("image", "mask"));
  EXPECT_TRUE(Same(manifest.At(0), records[0]));
  EXPECT_TRUE(Same(manifest.At(1), records[1]));
  EXPECT_EQ(manifest.RecordBytes(1), 320u);
  EXPECT_EQ(manifest.total_bytes(), 430u);
  EXPECT_EQ(manifest.largest_record_index(), 1u);
}

TEST(Manifest, FingerprintSpeaksOfKeysRangesAndEtags) {
  const std::vector<Record> base = {RawRecord("a", 1, "\"x\""), RawRecord("b", 2, "\"y\"")};
  const uint64_t fingerprint = BuildManifest(base).fingerprint();
  EXPECT_EQ(fingerprint, BuildManifest(base, "s3://elsewhere/").fingerprint());
  EXPECT_EQ(fingerprint, BuildManifest({base[1], base[0]}).fingerprint());
  LabelColumn labels{
      .kind = LabelKind::kInteger, .classes = {}, .width = 1, .integers = {1, 2}, .floats = {}};
  EXPECT_EQ(fingerprint, BuildManifest(base).WithLabels(labels).fingerprint());
  const auto changed = [&](const std::function<void(Record&)>& change) {
    std::vector<Record> records = base;
    change(records[1]);
    return BuildManifest(records).fingerprint() != fingerprint;
  };
  EXPECT_TRUE(changed([](Record& record) { record.key = "c"; }));
  EXPECT_TRUE(changed([](Record& record) { record.parts[0].object_key = "c"; }));
  EXPECT_TRUE(changed([](Record& record) { record.parts[0].etag = "\"z\""; }));
  EXPECT_TRUE(changed([](Record& record) { record.parts[0].object_size = 3; }));
  EXPECT_TRUE(changed([](Record& record) { record.parts[0].length = 1; }));
  EXPECT_TRUE(changed([](Record& record) { record.parts[0].offset = 1, record.parts[0].length = 1; }));
  EXPECT_NE(fingerprint, BuildManifest({base[0]}).fingerprint());
}

// Saved states carry it: it never changes for the same data.
TEST(Manifest, FingerprintIsPinnedForever) {
  EXPECT_EQ(BuildManifest({RawRecord("a", 1, "\"x\""), RawRecord("b", 2)}).fingerprint(),
            7145676464099913320u);
  EXPECT_EQ(Manifest().fingerprint(), 0u);
}

TEST(Manifest, BuilderNamesWhatIsWrong) {
  const auto add = [](Record record) {
    return MessageOf(ErrorCode::kInvalidArgument,
                     [&] { BuildManifest({RawRecord("ok", 1), std::move(record)}); });
  };
  EXPECT_THAT(add(RawRecord("ok", 1)), HasSubstr("the key \"ok\" was added twice"));
  EXPECT_THAT(add({"k", {}}), HasSubstr("record \"k\" has 0 parts where 1 are named: data"));
  EXPECT_THAT(add({"k", {{"o", 1, 10, 10, ""}}}),
              AllOf(HasSubstr("record \"k\""), HasSubstr("object \"o\"")));
  EXPECT_THAT(add(RawRecord("k", ~uint64_t{0})), HasSubstr("2^64"));
  EXPECT_THAT(MessageOf(ErrorCode::kInvalidArgument, [] { ManifestBuilder("s3://b/", {}); }),
              HasSubstr("part"));
  EXPECT_THAT(MessageOf(ErrorCode::kInvalidArgument, [] { ManifestBuilder("s3://b/", {"x", "y", "x"}); }),
              HasSubstr("twice in: x, y, x"));
}

TEST(Manifest, LabelsAreSharedSavedAndChecked) {
  const Manifest manifest = ManifestOfKeys({"a", "b", "c"});
  LabelColumn labels{
      .kind = LabelKind::kClass, .classes = {"cat", "dog"}, .width = 1, .integers = {0, 1, 0}, .floats = {}};
  const Manifest labelled = manifest.WithLabels(labels);
  EXPECT_EQ(manifest.labels().kind, LabelKind::kNone);
  EXPECT_THAT(labelled.labels().integers, ElementsAre(0, 1, 0));
  EXPECT_EQ(labelled.Key(2), "c");
  const Manifest opened = Manifest::FromBytes(labelled.ToBytes());
  EXPECT_EQ(opened.labels().kind, LabelKind::kClass);
  EXPECT_THAT(opened.labels().classes, ElementsAre("cat", "dog"));
  EXPECT_THAT(opened.labels().integers, ElementsAre(0, 1, 0));
  EXPECT_EQ(opened.fingerprint(), manifest.fingerprint());
  EXPECT_EQ(opened.WithLabels({}).ToBytes().view(), manifest.ToBytes().view());
  labels.integers.pop_back();
  EXPECT_THAT(MessageOf(ErrorCode::kInvalidArgument, [&] { manifest.WithLabels(labels); }),
              HasSubstr("2 labels for 3 records"));
}

TEST(Manifest, OpensOnTheBytesItIsGiven) {
  std::mt19937_64 random(4);
  const Manifest manifest = BuildManifest(Photographs(500, random));
  const Bytes file = manifest.ToBytes();
  const Manifest opened = Manifest::FromBytes(file);
  EXPECT_EQ(opened.ToBytes().data(), file.data());
  for (uint64_t i = 0; i < 500; ++i) ASSERT_TRUE(Same(opened.At(i), manifest.At(i)));
  EXPECT_EQ(opened.fingerprint(), manifest.fingerprint());
  EXPECT_EQ(opened.total_bytes(), manifest.total_bytes());
}

TEST(Manifest, DamagedBlocksAreFoundOnFirstTouchAndOthersStillRead) {
  std::mt19937_64 random(5);
  const Manifest manifest = BuildManifest(Photographs(200, random));
  const Bytes file = manifest.ToBytes();
  const ManifestSections sections = SplitManifest(file);
  const size_t second = static_cast<size_t>(FindBlock(sections, 1).block.data() - file.view().data());
  const Manifest damaged = Manifest::FromBytes(WithByte(file, second + 100, 1));
  EXPECT_EQ(damaged.Key(63), manifest.Key(63));
  EXPECT_EQ(damaged.Key(128), manifest.Key(128));
  for (int time = 0; time < 2; ++time) {
    EXPECT_THAT(MessageOf(ErrorCode::kCorruptData, [&] { damaged.Key(64); }),
                AllOf(HasSubstr("block 1 (records 64 to 127)"), HasSubstr("checksum")));
  }
  EXPECT_THAT(MessageOf(ErrorCode::kCorruptData, [&] { damaged.At(127); }), HasSubstr("block 1"));
  EXPECT_THAT(MessageOf(ErrorCode::kCorruptData, [&] { damaged.RecordBytes(100); }), HasSubstr("block 1"));
}

TEST(Manifest, DamagedLabelsAreFoundOnFirstTouch) {
  LabelColumn labels{
      .kind = LabelKind::kInteger, .classes = {}, .width = 1, .integers = {5, 6}, .floats = {}};
  const Bytes file = ManifestOfKeys({"a", "b"}).WithLabels(labels).ToBytes();
  const Manifest damaged = Manifest::FromBytes(WithByte(file, file.size() - 1, 1));
  EXPECT_EQ(damaged.Key(1), "b");
  for (int time = 0; time < 2; ++time) {
    EXPECT_THAT(MessageOf(ErrorCode::kCorruptData, [&] { damaged.labels(); }), HasSubstr("checksum"));
  }
}

// Every single damaged byte and every truncation is an error somewhere, never other records.
TEST(Manifest, NoDamagedByteGoesUnnoticed) {
  std::mt19937_64 random(6);
  const Manifest manifest = BuildManifest(Photographs(130, random));
  const Bytes file = manifest.ToBytes();
  const auto read_all = [](const Bytes& bytes) {
    const Manifest opened = Manifest::FromBytes(bytes);
    opened.labels();
    for (uint64_t i = 0; i < opened.size(); i += kBlockRecords) opened.At(i);
  };
  read_all(file);
  for (size_t at = 0; at < file.size(); ++at) {
    EXPECT_THROW(read_all(WithByte(file, at, 1 << at % 8)), Error) << "byte " << at;
  }
  for (size_t size = 0; size < file.size(); size += 1 + size / 16) {
    MessageOf(ErrorCode::kCorruptData, [&] { Manifest::FromBytes(file.Slice(0, size)); });
  }
  MessageOf(ErrorCode::kCorruptData, [&] { Manifest::FromBytes(file.Slice(0, file.size() - 1)); });
  EXPECT_THAT(
      MessageOf(ErrorCode::kCorruptData, [&] { Manifest::FromBytes(Bytes::Copy(file.ToString() + "x")); }),
      HasSubstr("added to"));
}

TEST(Manifest, ThreadsMayReadOneManifest) {
  std::mt19937_64 random(7);
  const std::vector<Record> records = Photographs(2000, random);
  LabelColumn labels{.kind = LabelKind::kInteger, .classes = {}, .width = 1, .integers = {}, .floats = {}};
  labels.integers.assign(2000, 3);
  const Manifest manifest = Manifest::FromBytes(BuildManifest(records).WithLabels(labels).ToBytes());
  std::vector<std::thread> threads;
  std::vector<uint64_t> sums(4);
  for (uint64_t& sum : sums) {
    threads.emplace_back([&manifest, &sum] {
      for (uint64_t i = 0; i < manifest.size(); ++i) sum += manifest.RecordBytes(i);
      sum += static_cast<uint64_t>(manifest.labels().integers[5]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const uint64_t sum : sums) EXPECT_EQ(sum, manifest.total_bytes() + 3);
}

TEST(Manifest, PickIsAManifestOfItsOwn) {
  std::mt19937_64 random(8);
  const std::vector<Record> records = Photographs(300, random);
  LabelColumn labels{.kind = LabelKind::kInteger, .classes = {}, .width = 1, .integers = {}, .floats = {}};
  for (int i = 0; i < 300; ++i) labels.integers.push_back(i);
  const Manifest whole = BuildManifest(records).WithLabels(labels);
  std::vector<uint64_t> numbers;
  for (uint64_t i = 3; i < 300; i += 7) numbers.push_back(i);
  const Manifest picked = Manifest::FromBytes(whole.Pick(numbers).ToBytes());
  ASSERT_EQ(picked.size(), numbers.size());
  EXPECT_EQ(picked.source(), whole.source());
  for (size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_TRUE(Same(picked.At(i), whole.At(numbers[i]))) << i;
    EXPECT_EQ(picked.labels().integers[i], static_cast<int64_t>(numbers[i]));
  }
  EXPECT_NE(picked.fingerprint(), whole.fingerprint());
  EXPECT_EQ(whole.Pick({}).size(), 0u);
  std::vector<uint64_t> all(300);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(whole.Pick(all).fingerprint(), whole.fingerprint());
}

TEST(Manifest, VersionsAreKeptWhereTheyAreKnown) {
  std::mt19937_64 random(9);
  std::vector<Record> records = Photographs(300, random);
  std::sort(records.begin(), records.end(), [](const Record& a, const Record& b) { return a.key < b.key; });
  const Manifest plain = BuildManifest(records);
  EXPECT_FALSE(plain.has_versions());
  for (size_t i = 0; i < records.size(); ++i)
    records[i].parts.front().version = "version" + std::to_string(i % 90);
  const Manifest versioned = Manifest::FromBytes(BuildManifest(records).ToBytes());
  EXPECT_TRUE(versioned.has_versions());
  for (size_t i = 0; i < records.size(); ++i) EXPECT_TRUE(Same(versioned.At(i), records[i])) << i;
  EXPECT_TRUE(versioned.Pick({7}).has_versions());
  EXPECT_NE(versioned.fingerprint(), plain.fingerprint());
  // The file says by its own version whether there are any: programs that know none read the plain ones.
  EXPECT_EQ(plain.ToBytes().span()[8], 1);
  EXPECT_EQ(versioned.ToBytes().span()[8], 2);
}

TEST(Manifest, MembersOfOneShardNameItsVersionOnce) {
  std::vector<Record> records;
  for (int i = 0; i < 130; ++i) {
    RecordPart part{.object_key = "shard.tar", .offset = 1, .length = 2, .object_size = 9, .etag = "\"e\""};
    part.version = i < 100 ? "an old version" : "a new version";
    records.push_back({.key = "k" + std::to_string(1000 + i), .parts = {part}});
  }
  const Manifest manifest = BuildManifest(records);
  for (size_t i = 0; i < records.size(); ++i) EXPECT_TRUE(Same(manifest.At(i), records[i])) << i;
  const std::string bytes = manifest.ToBytes().ToString();
  size_t named = 0;
  for (size_t at = 0; (at = bytes.find("an old version", at)) != std::string::npos; ++at) ++named;
  EXPECT_EQ(named, 2u);  // once a block
}

TEST(Manifest, PartsOfOneShardAreSmallAndKeepTheirChecksums) {
  std::vector<Record> records;
  for (uint64_t i = 0; i < 1000; ++i) {
    records.push_back({.key = fmt::format("train-000.tar/{:06}", i),
                       .parts = {{.object_key = "train-000.tar",
                                  .offset = 512 + i * 100352,
                                  .length = 99000 + i,
                                  .object_size = uint64_t{1} << 30,
                                  .etag = "\"d41d8cd98f00b204e9800998ecf8427e\""}}});
  }
  const Manifest plain = BuildManifest(records);
  EXPECT_FALSE(plain.has_checksums());
  EXPECT_LE(plain.ToBytes().size(), 20 * records.size());
  for (uint64_t i = 0; i < records.size(); i += 2)
    records[i].parts.front().crc32c = static_cast<uint32_t>(i * 77);
  const Manifest checked = Manifest::FromBytes(BuildManifest(records).ToBytes());
  EXPECT_TRUE(checked.has_checksums());
  for (uint64_t i = 0; i < records.size(); ++i) EXPECT_TRUE(Same(checked.At(i), records[i])) << i;
  EXPECT_EQ(checked.fingerprint(), plain.fingerprint());  // the same data
  EXPECT_EQ(checked.ToBytes().span()[8], 3);              // programs that know no checksums do not read it
}

}  // namespace
}  // namespace bucketline
