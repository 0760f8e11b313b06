#include "bucketline/records/manifest_diff.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/random.h"
#include "bucketline/base/result.h"

namespace bucketline {
namespace {

Manifest ManifestOf(const std::map<std::string, uint64_t>& sizes, const std::string& version = "") {
  ManifestBuilder builder("s3://b/");
  for (const auto& [key, size] : sizes) {
    Record record{.key = key, .parts = {}};
    RecordPart part{.object_key = key, .length = size, .object_size = size, .etag = "\"e\""};
    part.version = version;
    record.parts.push_back(part);
    builder.Add(record);
  }
  return std::move(builder).Build();
}

TEST(ManifestDiff, TellsWhatWasAddedRemovedAndChanged) {
  const Manifest before = ManifestOf({{"a", 1}, {"b", 2}, {"c", 3}, {"e", 5}});
  const Manifest after = ManifestOf({{"b", 2}, {"c", 33}, {"d", 4}, {"e", 5}, {"f", 6}});
  std::string told;
  const ManifestDifference difference = DiffManifests(before, after, [&](const Record* a, const Record* b) {
    told += a == nullptr ? "+" : b == nullptr ? "-" : "~";
    told += (a != nullptr ? a : b)->key;
  });
  EXPECT_EQ(told, "-a~c+d+f");
  EXPECT_EQ(difference.added, 2u);
  EXPECT_EQ(difference.removed, 1u);
  EXPECT_EQ(difference.changed, 1u);
  EXPECT_EQ(difference.same, 2u);
}

TEST(ManifestDiff, VersionsCountWhereBothAreKnown) {
  const std::map<std::string, uint64_t> sizes = {{"a", 1}};
  EXPECT_EQ(DiffManifests(ManifestOf(sizes, "1"), ManifestOf(sizes, "2")).changed, 1u);
  EXPECT_EQ(DiffManifests(ManifestOf(sizes, "1"), ManifestOf(sizes)).same, 1u);
}

TEST(ManifestDiff, OfRandomManifestsIsThatOfTheirKeys) {
  CounterRng random(5, 0, 0);
  for (int round = 0; round < 30; ++round) {
    std::map<std::string, uint64_t> before;
    std::map<std::string, uint64_t> after;
    for (uint64_t n = random.NextBelow(3000); n > 0; --n) {
      const std::string key = std::to_string(random.NextBelow(4000));
      if (random.NextBelow(10) > 0) before[key] = 1;
      if (random.NextBelow(10) > 0) after[key] = 1 + random.NextBelow(20) / 19;
    }
    ManifestDifference expected;
    for (const auto& [key, size] : before) {
      const auto it = after.find(key);
      ++(it == after.end() ? expected.removed : it->second == size ? expected.same : expected.changed);
    }
    for (const auto& [key, size] : after) expected.added += before.contains(key) ? 0 : 1;
    const ManifestDifference found = DiffManifests(ManifestOf(before), ManifestOf(after));
    EXPECT_EQ(found.added, expected.added);
    EXPECT_EQ(found.removed, expected.removed);
    EXPECT_EQ(found.changed, expected.changed);
    EXPECT_EQ(found.same, expected.same);
  }
}

TEST(ManifestDiff, AStopEndsIt) {
  std::stop_source stop;
  stop.request_stop();
  const Manifest manifest = ManifestOf({{"a", 1}});
  const auto compared = Catch([&] { return DiffManifests(manifest, manifest, {}, stop.get_token()); });
  ASSERT_FALSE(compared);
  EXPECT_EQ(compared.error().code(), ErrorCode::kCancelled);
}

TEST(ManifestDiff, ARangeIsTheRecordsOneByOne) {
  std::map<std::string, uint64_t> sizes;
  for (int i = 0; i < 300; ++i) sizes[std::to_string(i)] = static_cast<uint64_t>(i);
  const Manifest manifest = ManifestOf(sizes);
  for (uint64_t first : {0u, 1u, 63u, 64u, 200u, 300u}) {
    for (uint64_t count : {0u, 1u, 64u, 65u, 100u}) {
      if (first + count > manifest.size()) continue;
      const std::vector<Record> rows = manifest.Range(first, count);
      ASSERT_EQ(rows.size(), count);
      for (uint64_t i = 0; i < count; ++i) EXPECT_TRUE(SameRecord(rows[i], manifest.At(first + i)));
    }
  }
}

}  // namespace
}  // namespace bucketline
