#include "bucketline/cache/entry.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bucketline/cache/cache_testing.h"

namespace bucketline {
namespace {

using State = EntryReader::State;
using testing::KnownEntry;

class Entry : public ::testing::Test {
 protected:
  static std::string Written(const KnownEntry& entry) {
    const std::vector<uint8_t> header = EntryHeader(entry.id, entry.object, entry.bytes);
    std::string file(header.begin(), header.end());
    return file.append(entry.bytes.begin(), entry.bytes.end());
  }
  static UniqueFd FileOf(const std::string& content) {
    UniqueFd file(::memfd_create("entry", MFD_CLOEXEC));
    if (::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()))
      throw std::runtime_error("cannot write a file in memory");
    return file;
  }
  static EntryReader Open(const std::string& file, const EntryId& id) {
    return EntryReader(FileOf(file), id);
  }
  static bool IsWhole(const std::string& file) { return IsWholeEntry(FileOf(file).get()); }
  static bool Reads(const std::string& file, const KnownEntry& entry) {
    const EntryReader reader = Open(file, entry.id);
    if (reader.state() != State::kWanted) return false;
    std::vector<uint8_t> bytes(reader.payload_size());
    return reader.Read(bytes) && bytes == entry.bytes;
  }
};

TEST_F(Entry, GivesBackWhatWasWritten) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{5000}, size_t{3} << 20}) {
    KnownEntry entry(1, size);
    entry.object.version = "v1";
    const EntryReader reader = Open(Written(entry), entry.id);
    ASSERT_EQ(reader.state(), State::kWanted) << size;
    EXPECT_EQ(reader.object().size, size);
    EXPECT_EQ(reader.object().etag, "\"e\"");
    EXPECT_EQ(reader.object().version, "v1");
    EXPECT_EQ(reader.object().last_modified, entry.object.last_modified);
    std::vector<uint8_t> bytes(reader.payload_size());
    EXPECT_TRUE(reader.Read(bytes));
    EXPECT_EQ(bytes, entry.bytes);
    EXPECT_TRUE(IsWhole(Written(entry)));
  }
}

TEST_F(Entry, LongKeysAreFine) {
  const std::string key(1024, 'k');
  KnownEntry entry(1);
  entry.id = EntryId("https://s3.amazonaws.com/bucket", key, 0, 10'000, "\"e\"");
  EXPECT_TRUE(Reads(Written(entry), entry));
}

TEST_F(Entry, IsOfOneRangeOfOneObjectInOneState) {
  const KnownEntry entry(1);
  const std::string file = Written(entry);
  const auto state = [&](const EntryId& id) { return Open(file, id).state(); };
  EXPECT_EQ(state(EntryId("mem://store", "key-1", 0, 10'000, "\"e\"")), State::kWanted);
  EXPECT_EQ(state(EntryId("mem://other", "key-1", 0, 10'000, "\"e\"")), State::kOther);
  EXPECT_EQ(state(EntryId("mem://store", "key-2", 0, 10'000, "\"e\"")), State::kOther);
  EXPECT_EQ(state(EntryId("mem://store", "key-1", 1, 10'000, "\"e\"")), State::kOther);
  EXPECT_EQ(state(EntryId("mem://store", "key-1", 0, 9'999, "\"e\"")), State::kOther);
  EXPECT_EQ(state(EntryId("mem://store", "key-1", 0, 10'000, "\"f\"")), State::kOther);
  EXPECT_EQ(EntryId("s", "k", 0, 1, "\"e\"").hash(), EntryId("s", "k", 0, 1, "\"f\"").hash());
  EXPECT_NE(EntryId("s", "k", 0, 1, "\"e\"").hash(), EntryId("s", "k", 0, 2, "\"e\"").hash());
}

TEST_F(Entry, EveryFlippedBitIsSeen) {
  const KnownEntry entry(1, 300);
  const std::string whole = Written(entry);
  for (size_t i = 0; i < whole.size() * 8; i += 3) {
    std::string file = whole;
    file[i / 8] = static_cast<char>(file[i / 8] ^ (1 << (i % 8)));
    ASSERT_FALSE(Reads(file, entry)) << "bit " << i;
    ASSERT_FALSE(IsWhole(file)) << "bit " << i;
  }
}

TEST_F(Entry, EveryTornFileIsSeen) {
  const KnownEntry entry(1, 300);
  const std::string whole = Written(entry);
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_FALSE(Reads(whole.substr(0, size), entry)) << size;
    ASSERT_FALSE(IsWhole(whole.substr(0, size))) << size;
    std::string holes = whole;  // blocks that never reached the disk read as zeros
    std::fill(holes.begin() + static_cast<ptrdiff_t>(size), holes.end(), '\0');
    if (holes == whole) continue;
    ASSERT_FALSE(Reads(holes, entry)) << size;
  }
  EXPECT_FALSE(IsWhole(whole + "x"));
}

}  // namespace
}  // namespace bucketline
