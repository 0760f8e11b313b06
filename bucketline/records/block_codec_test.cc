#include "bucketline/records/block_codec.h"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::Md5Etag;
using records_testing::MessageOf;
using records_testing::Mutate;
using records_testing::RawRecord;
using records_testing::Same;
using ::testing::HasSubstr;

std::string Encode(const std::vector<Record>& records, size_t parts) {
  BlockEncoder encoder(parts);
  for (const Record& record : records) encoder.Add(record);
  EXPECT_EQ(encoder.records(), records.size());
  std::string block = encoder.Finish();
  EXPECT_EQ(encoder.records(), 0u);
  return block;
}

// Any mix of forms: own key, shards, other keys, whole objects and ranges, every kind of ETag.
RecordPart RandomPart(const std::string& key, std::mt19937_64& random) {
  static const std::string kEtags[] = {"", "\"x\"", "\"d41d8cd98f00b204e9800998ecf8427e\"",
                                       "\"d41d8cd98f00b204e9800998ecf8427e-7\""};
  const std::string keys[] = {key, "shard-0.tar", "shard-1.tar", "masks/" + key + ".png"};
  RecordPart part{.object_key = keys[random() % 4], .etag = kEtags[random() % 4]};
  part.object_size = random() % 3 == 0 ? 1000 : random() >> random() % 64;
  if (random() % 2 == 0) {
    part.length = part.object_size;
  } else {
    part.offset = part.object_size == 0 ? 0 : random() % part.object_size;
    part.length = std::min<uint64_t>(random() >> random() % 64, part.object_size - part.offset);
  }
  part.length = std::min<uint64_t>(part.length, uint64_t{1} << 60);
  return part;
}

std::vector<Record> RandomRecords(size_t count, size_t parts, std::mt19937_64& random) {
  std::vector<std::string> keys;
  for (size_t i = 0; i < count; ++i) keys.push_back("k" + std::to_string(random() % 100000));
  std::sort(keys.begin(), keys.end());
  std::vector<Record> records;
  for (const std::string& key : keys) {
    records.push_back({.key = key, .parts = {}});
    for (size_t part = 0; part < parts; ++part) records.back().parts.push_back(RandomPart(key, random));
  }
  return records;
}

TEST(BlockCodec, RoundTripsEveryForm) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 300; ++i) {
    const size_t parts = 1 + random() % 3;
    const std::vector<Record> records = RandomRecords(1 + random() % 64, parts, random);
    const std::string block = Encode(records, parts);
    const BlockDecoder decoder(block, parts);
    const std::vector<Record> all = decoder.First(records.size());
    ASSERT_EQ(all.size(), records.size());
    for (size_t row = 0; row < records.size(); ++row) {
      ASSERT_EQ(decoder.Key(row), records[row].key);
      ASSERT_TRUE(Same(decoder.At(row), records[row])) << "row " << row;
      ASSERT_TRUE(Same(all[row], records[row])) << "row " << row;
      uint64_t bytes = 0;
      for (const RecordPart& part : records[row].parts) bytes += part.length;
      ASSERT_EQ(decoder.RecordBytes(row), bytes);
    }
  }
}

TEST(BlockCodec, ABlockNeedsNoOther) {
  BlockEncoder encoder(1);
  encoder.Add({.key = "a", .parts = {{"shard.tar", 0, 5, 100, "\"x\""}}});
  encoder.Finish();
  const Record record{.key = "b", .parts = {{"shard.tar", 5, 5, 100, "\"x\""}}};
  encoder.Add(record);
  const std::string block = encoder.Finish();
  EXPECT_TRUE(Same(BlockDecoder(block, 1).At(0), record));
}

TEST(BlockCodec, MembersOfOneShardNameItOnce) {
  std::vector<Record> records;
  for (uint64_t i = 0; i < 64; ++i) {
    records.push_back({.key = "train-000.tar/" + std::to_string(1000 + i),
                       .parts = {{"train-000.tar", i << 20, 1 << 19, uint64_t{1} << 30, "\"some etag\""}}});
  }
  EXPECT_LT(Encode(records, 1).size() / 64, 16u);
}

TEST(BlockCodec, RefusesRowsThatAreNotThere) {
  const std::string block = Encode({RawRecord("a", 1)}, 1);
  const BlockDecoder decoder(block, 1);
  MessageOf(ErrorCode::kCorruptData, [&] { decoder.Key(1); });
  MessageOf(ErrorCode::kCorruptData, [&] { decoder.At(1); });
  MessageOf(ErrorCode::kCorruptData, [&] { decoder.RecordBytes(1); });
  MessageOf(ErrorCode::kCorruptData, [&] { decoder.First(2); });
}

// A block whose one key is "a" and whose parts are `bodies`.
std::string BlockWith(const std::string& bodies) {
  const std::string keys(
      "\0\0\x08"
      "a",
      4);
  std::string block;
  AppendSized(&block, keys);
  return block + bodies;
}

TEST(BlockCodec, RefusesPartsThatNoWriterMakes) {
  const auto message = [](const std::string& bodies, size_t parts = 1) {
    const std::string block = BlockWith(bodies);
    return MessageOf(ErrorCode::kCorruptData, [&] { BlockDecoder(block, parts).RecordBytes(0); });
  };
  EXPECT_THAT(message(std::string("\x83\x05", 2)), HasSubstr("unknown form 131"));  // a bit without meaning
  EXPECT_THAT(message(std::string("\x05", 1)), HasSubstr("unknown form 5"));  // the first shares with none
  EXPECT_THAT(message(std::string("\x07\x05", 2)), HasSubstr("unknown form 7"));  // its own key and another's
  EXPECT_THAT(message(std::string("\x02\x05\x03\x03", 4)), HasSubstr("not inside its object"));
  EXPECT_THAT(message(std::string("\x02\x05\x06\x00", 4)), HasSubstr("not inside its object"));
  const std::string whole = "\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
  EXPECT_THAT(message(whole + whole, 2), HasSubstr("2^64"));
}

TEST(BlockCodec, RangesAreCheckedWithoutOverflow) {
  CheckRange({"k", 10, 0, 10, ""});
  const std::string message =
      MessageOf(ErrorCode::kInvalidArgument, [] { CheckRange({"k", ~uint64_t{0}, 2, 10, ""}); });
  EXPECT_THAT(message, HasSubstr("object \"k\""));
  MessageOf(ErrorCode::kInvalidArgument, [] { CheckRange({"k", 5, ~uint64_t{0}, 10, ""}); });
}

TEST(BlockCodec, HostileBytesGiveARecordOrAnError) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 10000; ++i) {
    const size_t parts = 1 + random() % 2;
    const std::string block = Mutate(Encode(RandomRecords(8, parts, random), parts), random);
    const auto attempt = [&](const std::function<void(const BlockDecoder&)>& read) {
      try {
        read(BlockDecoder(block, parts));
      } catch (const Error& error) {
        ASSERT_EQ(error.code(), ErrorCode::kCorruptData) << error.what();
      }
    };
    attempt([](const BlockDecoder& decoder) { decoder.First(8); });
    attempt([](const BlockDecoder& decoder) { decoder.At(7); });
    attempt([](const BlockDecoder& decoder) { decoder.RecordBytes(7); });
    attempt([](const BlockDecoder& decoder) { decoder.Key(7); });
  }
}

}  // namespace
}  // namespace bucketline
