// What the encoders write is what the scanners read, and what is known of the formats by other means.
#include "bucketline/records/shard_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/crc32c.h"
#include "bucketline/base/error.h"
#include "bucketline/records/example_testing.h"
#include "bucketline/records/mds_index.h"
#include "bucketline/records/shard_format.h"
#include "bucketline/records/shard_testing.h"

namespace bucketline {
namespace {

using namespace records_testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Shard {
  std::string bytes;
  std::vector<uint64_t> offsets;
};

Shard Encode(const ShardEncoding& encoding, const PackSchema& schema,
             const std::vector<SampleToPack>& samples) {
  Shard shard;
  const ShardEncoder::Emit emit = [&](std::string_view bytes) { shard.bytes += bytes; };
  const std::unique_ptr<ShardEncoder> encoder = encoding.make(schema);
  for (const SampleToPack& sample : samples) encoder->Add(sample, emit);
  shard.offsets = encoder->Finish(emit);
  return shard;
}

PartToPack Part(std::string_view bytes, std::string extension = "jpg") {
  return {
      .extension = std::move(extension), .length = bytes.size(), .bytes = bytes, .crc32c = Crc32cOf(bytes)};
}

// Payloads of lengths around the blocks of a tar, and the widths of varints.
const std::vector<std::string>& Payloads() {
  static const std::vector<std::string> payloads = [] {
    std::vector<std::string> made;
    for (const size_t size : {0, 1, 100, 127, 128, 511, 512, 513, 16'383, 16'384, 70'000}) {
      made.emplace_back(size, static_cast<char>('a' + made.size()));
    }
    return made;
  }();
  return payloads;
}

class EveryEncoding : public ::testing::TestWithParam<std::tuple<const char*, LabelKind, size_t>> {
 protected:
  const ShardEncoding& encoding_ = *FindShardEncoding(std::get<0>(GetParam()));

  PackSchema Schema() const {
    PackSchema schema{.part_names = {"image"}, .label = std::get<1>(GetParam()), .label_width = 3};
    schema.classes = schema.label == LabelKind::kClass;
    if (std::get<2>(GetParam()) == 2) schema.part_names.push_back("mask");
    schema.shard_size = 1 << 20;
    return schema;
  }
  LabelToPack Label(size_t i) const {
    const auto number = static_cast<float>(i);
    switch (std::get<1>(GetParam())) {
      case LabelKind::kNone:
        return {};
      case LabelKind::kFloat:
        return number / 4;
      case LabelKind::kVector:
        return std::vector{number, 0.5f, -number};
      default:
        return static_cast<int64_t>(i % 3) - 1;
    }
  }
  std::vector<SampleToPack> Samples() const {
    std::vector<SampleToPack> samples;
    for (size_t i = 0; i < Payloads().size(); ++i) {
      SampleToPack sample{.number = 5 + i, .key = "a/" + Payloads()[i].substr(0, 200), .label = Label(i)};
      if (Schema().classes) sample.class_name = i % 2 == 0 ? "cat" : "a longer name";
      sample.parts.push_back(Part(Payloads()[i]));
      if (Schema().part_names.size() == 2) sample.parts.push_back(Part(Payloads()[(i + 1) % 5], "png"));
      samples.push_back(std::move(sample));
    }
    return samples;
  }
};

TEST_P(EveryEncoding, IsReadBackByItsScanner) {
  const std::vector<SampleToPack> samples = Samples();
  const Shard shard = Encode(encoding_, Schema(), samples);
  const ShardFormat* format = FindShardFormat(encoding_.name);
  ASSERT_NE(format, nullptr);
  EXPECT_TRUE(format->owns(fmt::format("x.{}", encoding_.extension)));
  const Found found = ScanText(format->scan, shard.bytes, "label");
  EXPECT_EQ(found.damage, "");
  EXPECT_THAT(found.skipped, ElementsAre());
  ASSERT_EQ(found.samples.size(), samples.size());
  const size_t parts = Schema().part_names.size();
  ASSERT_EQ(shard.offsets.size(), samples.size() * parts);
  for (size_t i = 0; i < samples.size(); ++i) {
    for (size_t part = 0; part < parts; ++part) {
      const PartToPack& written = samples[i].parts[part];
      const uint64_t offset = shard.offsets[i * parts + part];
      EXPECT_EQ(shard.bytes.substr(offset, written.length), written.bytes);
      const auto is_there = [&](const ShardMember& member) {
        return member.offset == offset && member.length == written.length && !member.no_part &&
               member.name.starts_with(Schema().part_names[part]);
      };
      EXPECT_TRUE(std::any_of(found.samples[i].members.begin(), found.samples[i].members.end(), is_there));
    }
  }
}

TEST_P(EveryEncoding, ItsSizesAreExactAndItsBytesTheSameEachTime) {
  const std::vector<SampleToPack> samples = Samples();
  const Shard shard = Encode(encoding_, Schema(), samples);
  uint64_t size = encoding_.shard_overhead(Schema());
  for (SampleToPack sample : samples) {
    for (PartToPack& part : sample.parts) part.bytes = {};  // the lengths are enough
    size += encoding_.sample_size(Schema(), sample);
  }
  EXPECT_EQ(shard.bytes.size(), size);
  EXPECT_EQ(Encode(encoding_, Schema(), samples).bytes, shard.bytes);
}

INSTANTIATE_TEST_SUITE_P(All, EveryEncoding,
                         ::testing::Combine(::testing::Values("tar", "tfrecord", "mds"),
                                            ::testing::Values(LabelKind::kNone, LabelKind::kClass,
                                                              LabelKind::kInteger, LabelKind::kFloat,
                                                              LabelKind::kVector),
                                            ::testing::Values(1, 2)));

SampleToPack OneSample() {
  return {.number = 17, .key = "a/b.jpg", .label = int64_t{2}, .class_name = "cat", .parts = {Part("bytes")}};
}

TEST(TarEncoding, NamesMembersByNumberAndSaysTheRestInJson) {
  const PackSchema schema{.part_names = {""}, .label = LabelKind::kClass, .classes = true};
  const Shard shard = Encode(kTarEncoding, schema, {OneSample()});
  const Found found = ScanText(FindShardFormat("tar")->scan, shard.bytes, "json");
  EXPECT_THAT(Shown(found.samples), ElementsAre("0000000017: jpg@512+5 cls@1536+1 json@2560+41"));
  EXPECT_EQ(std::get<std::string>(*found.samples.at(0).members.at(2).value),
            R"({"class":"cat","key":"a/b.jpg","label":2})");
  EXPECT_EQ(shard.bytes.size() % 512, 0u);
}

TEST(TarEncoding, JsonThatIsDataKeepsApartFromOurs) {
  SampleToPack sample = OneSample();
  sample.parts = {Part("{}", "json")};
  const Shard shard = Encode(kTarEncoding, {.part_names = {""}}, {sample});
  const Found found = ScanText(FindShardFormat("tar")->scan, shard.bytes);
  ASSERT_EQ(found.samples.size(), 1u);
  EXPECT_EQ(found.samples[0].members.at(0).name, "data.json");
}

TEST(TarEncoding, AKeyThatIsNoUtf8IsSaidAsWellAsJsonCan) {
  SampleToPack sample = OneSample();
  sample.key = "a\xff";
  EXPECT_EQ(SampleJson({}, sample), "{\"key\":\"a\xef\xbf\xbd\",\"label\":2}");
}

TEST(TfRecordEncoding, IsTheExampleOfTheseFeatures) {
  const PackSchema schema{.part_names = {"image"}, .label = LabelKind::kClass, .classes = true};
  const Shard shard = Encode(kTfRecordEncoding, schema, {OneSample()});
  EXPECT_EQ(shard.bytes, TfRecord(Example({{"class", BytesFeature({"cat"})},
                                           {"image", BytesFeature({"bytes"})},
                                           {"key", BytesFeature({"a/b.jpg"})},
                                           {"label", IntegerFeature({2})}})));
}

TEST(Encodings, NamesThatAFormatCannotHoldAreErrors) {
  for (const char* name :
       {"a.b", "a/b", "this name is much longer than any sensible name of a part could be"}) {
    EXPECT_THROW(kTarEncoding.check({.part_names = {"image", name}}), Error) << name;
  }
  for (const char* name : {"key", "label", "class"}) {
    EXPECT_THROW(kTfRecordEncoding.check({.part_names = {name, "image"}}), Error);
    EXPECT_THROW(kMdsEncoding.check({.part_names = {name, "image"}}), Error);
    EXPECT_NO_THROW(kTarEncoding.check({.part_names = {name, "image"}}));
  }
  EXPECT_EQ(FindShardEncoding("recordio"), nullptr);
  EXPECT_EQ(ShardEncodingNames(), "tar | tfrecord | mds");
}

TEST(MdsEncoding, TheIndexNamesShardsAndColumns) {
  const PackSchema schema{.part_names = {"image"}, .jpeg = true, .label = LabelKind::kClass, .classes = true};
  const auto index = nlohmann::json::parse(MdsIndex(schema, {{"a.mds", 100, 7}, {"b.mds", 50, 3}}));
  EXPECT_EQ(index.at("version"), 2);
  const nlohmann::json& shard = index.at("shards").at(1);
  EXPECT_EQ(shard.at("raw_data").at("basename"), "b.mds");
  EXPECT_EQ(shard.at("raw_data").at("bytes"), 50);
  EXPECT_EQ(shard.at("samples"), 3);
  EXPECT_EQ(shard.at("column_names"), nlohmann::json({"class", "image", "key", "label"}));
  EXPECT_EQ(shard.at("column_encodings"), nlohmann::json({"str", "jpeg", "str", "int"}));
  EXPECT_EQ(shard.at("column_sizes"), nlohmann::json({nullptr, nullptr, nullptr, 8}));
}

}  // namespace
}  // namespace bucketline
