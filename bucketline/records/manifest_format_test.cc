#include "bucketline/records/manifest_format.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/hash.h"
#include "bucketline/records/records_testing.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

using records_testing::ManifestOfKeys;
using records_testing::MessageOf;
using records_testing::Mutate;
using ::testing::HasSubstr;

ManifestHeader SomeHeader() {
  ManifestHeader header;
  header.records = 130;
  header.total_bytes = 1 << 30;
  header.largest_record = 5000;
  header.largest_record_index = 129;
  header.fingerprint = 0x123456789abcdef0;
  header.blocks_size = 7;
  header.labels_size = 2;
  header.labels_checksum = 99;
  header.source = "s3://bucket/prefix/";
  header.part_names = {"image", "mask"};
  return header;
}

const std::string kTable(3 * 16, '\0');

std::string Corrupt(const ManifestHeader& header, std::string_view table = kTable) {
  return MessageOf(ErrorCode::kCorruptData,
                   [&] { SplitManifest(JoinManifest(header, table, "BLOCKS!", "LL")); });
}

TEST(ManifestFormat, SplitsWhatWasJoined) {
  const ManifestHeader header = SomeHeader();
  const ManifestSections sections = SplitManifest(JoinManifest(header, kTable, "BLOCKS!", "LL"));
  EXPECT_EQ(sections.header.records, header.records);
  EXPECT_EQ(sections.header.block_records, kBlockRecords);
  EXPECT_EQ(sections.header.total_bytes, header.total_bytes);
  EXPECT_EQ(sections.header.largest_record, header.largest_record);
  EXPECT_EQ(sections.header.largest_record_index, header.largest_record_index);
  EXPECT_EQ(sections.header.fingerprint, header.fingerprint);
  EXPECT_EQ(sections.header.labels_checksum, header.labels_checksum);
  EXPECT_EQ(sections.header.source, header.source);
  EXPECT_EQ(sections.header.part_names, header.part_names);
  EXPECT_EQ(sections.table.view(), kTable);
  EXPECT_EQ(sections.blocks.view(), "BLOCKS!");
  EXPECT_EQ(sections.labels.view(), "LL");
}

TEST(ManifestFormat, SaysWhatIsWrongWithTheFile) {
  const std::string file = JoinManifest(SomeHeader(), kTable, "BLOCKS!", "LL").ToString();
  const auto message = [](const std::string& bytes) {
    return MessageOf(ErrorCode::kCorruptData, [&] { SplitManifest(Bytes::Copy(bytes)); });
  };
  EXPECT_THAT(message(""), HasSubstr("not a manifest"));
  EXPECT_THAT(message("file,label\na.jpg,1\n"), HasSubstr("not a manifest"));
  EXPECT_THAT(message(file.substr(0, 20)), HasSubstr("cut off"));
  EXPECT_THAT(message(file.substr(0, 40)), HasSubstr("cut off"));
  EXPECT_THAT(message(file.substr(0, file.size() - 1)), HasSubstr("cut off"));
  std::string other = file;
  other[8] = 5;
  EXPECT_THAT(message(other), HasSubstr("version 5 and this program reads versions 1 to 4"));
  other = file;
  other[30] = static_cast<char>(other[30] ^ 1);
  EXPECT_THAT(message(other), HasSubstr("header has a wrong checksum"));
}

TEST(ManifestFormat, RefusesSenselessNumbers) {
  ManifestHeader header = SomeHeader();
  header.block_records = 0;
  EXPECT_THAT(Corrupt(header), HasSubstr("blocks of 0 records"));
  header = SomeHeader();
  header.block_records = 1 << 17;
  EXPECT_THAT(Corrupt(header), HasSubstr("blocks of 131072 records"));
  header = SomeHeader();
  header.largest_record_index = 130;
  EXPECT_THAT(Corrupt(header), HasSubstr("largest record"));
  header = SomeHeader();
  header.part_names.clear();
  EXPECT_THAT(Corrupt(header), HasSubstr("no parts"));
  for (uint64_t ManifestHeader::* size :
       {&ManifestHeader::records, &ManifestHeader::blocks_size, &ManifestHeader::labels_size}) {
    for (const uint64_t value : {uint64_t{1000}, ~uint64_t{0}, ~uint64_t{0} - 47}) {
      header = SomeHeader();
      header.*size = value;
      EXPECT_THAT(Corrupt(header), HasSubstr("not what the header says"));
    }
  }
}

TEST(ManifestFormat, TableThatPointsElsewhereIsAnError) {
  for (const auto& [first, second] :
       std::vector<std::pair<uint64_t, uint64_t>>{{8, 8}, {5, 4}, {0, 8}, {~0ull, ~0ull}}) {
    std::string table;
    for (const uint64_t offset : {first, second, uint64_t{7}}) {
      AppendFixed64(&table, offset);
      AppendFixed64(&table, 0);
    }
    const ManifestSections sections = SplitManifest(JoinManifest(SomeHeader(), table, "BLOCKS!", "LL"));
    EXPECT_THAT(MessageOf(ErrorCode::kCorruptData, [&] { FindBlock(sections, 0); }),
                HasSubstr("makes no sense"));
    EXPECT_EQ(FindBlock(sections, 2).block, "");
  }
}

TEST(ManifestFormat, ChecksumKnowsThePlace) {
  EXPECT_NE(BlockChecksum("x", 0, 1), BlockChecksum("x", 1, 1));
  EXPECT_NE(BlockChecksum("x", 0, 1), BlockChecksum("x", 0, 2));
  EXPECT_NE(BlockChecksum("x", 0, 1), BlockChecksum("y", 0, 1));
}

// Sets the header's checksum right, so that the damage reaches what is behind it.
void Reseal(std::string* file) {
  if (file->size() < 24) return;
  const std::string_view bytes = *file;
  const uint32_t size = ByteReader(bytes.substr(12)).Fixed32();
  const uint64_t checksum = StableHash64(bytes.substr(24, size), StableHash64(bytes.substr(0, 16)));
  std::string field;
  AppendFixed64(&field, checksum);
  file->replace(16, 8, field);
}

TEST(ManifestFormat, HostileFilesNeverCrash) {
  std::mt19937_64 random(1);
  std::vector<std::string> keys;
  for (int i = 0; i < 150; ++i) keys.push_back("folder/" + std::to_string(random()));
  LabelColumn labels{
      .kind = LabelKind::kClass, .classes = {"a", "b"}, .width = 1, .integers = {}, .floats = {}};
  labels.integers.assign(150, 1);
  const std::string file = ManifestOfKeys(keys).WithLabels(labels).ToBytes().ToString();
  const auto attempt = [](const std::function<void()>& f) {
    try {
      f();
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kCorruptData) << error.what();
    }
  };
  int opened = 0;
  for (int i = 0; i < 10000; ++i) {
    std::string bytes =
        Mutate(file.substr(0, i % 2 == 0 ? 100 : 24 + 60), random) + file.substr(i % 2 == 0 ? 100 : 84);
    if (i % 4 != 0) Reseal(&bytes);
    attempt([&] {
      const Manifest manifest = Manifest::FromBytes(Bytes::Copy(bytes));
      ++opened;
      attempt([&] { manifest.labels(); });
      for (uint64_t index = 0; index < std::min<uint64_t>(manifest.size(), 300); index += 13) {
        attempt([&] { manifest.At(index); });
        attempt([&] { manifest.RecordBytes(index); });
      }
      if (manifest.size() > 0) attempt([&] { manifest.Key(manifest.size() - 1); });
    });
  }
  EXPECT_GT(opened, 500);  // else the damage never gets past the header
}

}  // namespace
}  // namespace bucketline
