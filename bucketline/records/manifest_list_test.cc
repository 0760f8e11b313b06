#include "bucketline/records/manifest_list.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::BuildManifest;
using records_testing::ManifestOfKeys;
using records_testing::RawRecord;

TEST(ManifestList, CountsThroughAllManifests) {
  const ManifestList list({BuildManifest({RawRecord("b", 1), RawRecord("c", 2)}, "s3://x/"), Manifest(),
                           BuildManifest({RawRecord("a", 3)}, "s3://y/")});
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list.Key(1), "c");
  EXPECT_EQ(list.Key(2), "a");
  EXPECT_EQ(list.At(2).parts.front().object_size, 3u);
  EXPECT_EQ(list.RecordBytes(1), 2u);
  EXPECT_EQ(list.SourceOf(1), "s3://x/");
  EXPECT_EQ(list.SourceOf(2), "s3://y/");
  EXPECT_EQ(list.Find(2).manifest, 2u);
  EXPECT_EQ(list.FirstOf(2), 2u);
  EXPECT_EQ(ManifestList().size(), 0u);
}

TEST(ManifestList, TheFingerprintIsOfAllAndOfTheirOrder) {
  const Manifest a = ManifestOfKeys({"a"});
  const Manifest b = ManifestOfKeys({"b"});
  EXPECT_EQ(ManifestList({a}).fingerprint(), a.fingerprint());
  const std::set<uint64_t> prints = {ManifestList({a}).fingerprint(), ManifestList({a, b}).fingerprint(),
                                     ManifestList({b, a}).fingerprint(), ManifestList({a, a}).fingerprint(),
                                     ManifestList({a, b, b}).fingerprint()};
  EXPECT_EQ(prints.size(), 5u);
}

}  // namespace
}  // namespace bucketline
