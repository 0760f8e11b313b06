#include "bucketline/channel/object_lookup.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/recording_store.h"

namespace bucketline {
namespace {

using testing::Bucket;
using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;

std::string Place(size_t index) { return "place " + std::to_string(index); }

class ObjectLookupTest : public ::testing::Test {
 protected:
  ObjectLookupTest() { bucket_.runtime().AddStore("seen", recording_); }

  FoundObjects Find(const std::vector<std::string>& uris, DatasetOptions options = {}) {
    TextPool pool;
    for (const std::string& uri : uris) pool.Add(uri);
    return FindObjects(bucket_.runtime(), pool, Place, options);
  }

  // Objects "k/<number>" of all numbers below `count`; the URIs of each `step`-th, the last one first.
  std::vector<std::string> Fill(int count, int step, const std::string& store = "seen") {
    std::vector<std::string> uris;
    for (int i = 0; i < count; ++i) {
      const std::string key = "k/" + std::to_string(100'000 + i);
      bucket_.Put(key, std::string(static_cast<size_t>(i % 7), 'x'));
      if (i % step == 0) uris.insert(uris.begin(), "mem://" + store + "/" + key);
    }
    return uris;
  }

  static void ExpectAll(const FoundObjects& found, const std::vector<std::string>& uris) {
    ASSERT_EQ(found.numbers.size(), uris.size());
    ASSERT_EQ(found.objects.size(), uris.size());
    for (size_t i = 0; i < uris.size(); ++i) {
      const Record record = found.objects.RecordAt(found.numbers[i]);
      EXPECT_TRUE(uris[i].ends_with("/" + record.key));
      EXPECT_EQ(record.parts[0].length, (std::stoul(record.key.substr(2)) - 100'000) % 7);
      EXPECT_FALSE(record.parts[0].etag.empty());
    }
  }

  Bucket bucket_;
  std::shared_ptr<RecordingStore> recording_ = std::make_shared<RecordingStore>(bucket_.store());
};

TEST_F(ObjectLookupTest, EachObjectIsFoundOnceInTheOrderOfTheUris) {
  for (const char* key : {"b", "a", "c"}) bucket_.Put(key, key);
  const FoundObjects found = Find({"mem://data/c", "mem://data/a", "mem://data/c", "mem://data/b"});
  EXPECT_THAT(found.numbers, ElementsAre(2, 0, 2, 1));
  EXPECT_EQ(found.objects.size(), 3u);
  EXPECT_EQ(found.objects.Key(2), "c");
  EXPECT_EQ(found.objects.UriAt(2), "mem://data/c");
}

TEST_F(ObjectLookupTest, ObjectsThatLieCloseAreListed) {
  const std::vector<std::string> uris = Fill(6000, 1);
  ExpectAll(Find(uris), uris);
  EXPECT_LE(recording_->CountOf(StoreOp::kHead), 12u);
  EXPECT_LE(recording_->CountOf(StoreOp::kList), 24u);
}

TEST_F(ObjectLookupTest, ObjectsThatLieFarApartAreAskedForOneByOne) {
  const std::vector<std::string> uris = Fill(20'000, 30);
  ExpectAll(Find(uris), uris);
  EXPECT_EQ(recording_->CountOf(StoreOp::kList), 1u);  // 33 of them are on a page
}

TEST_F(ObjectLookupTest, WhereListingIsNotAllowedTheyAreAskedForOneByOne) {
  const auto denied = Fault::FailBefore(Error(ErrorCode::kPermissionDenied, "no"));
  bucket_.runtime().AddStore("unlisted",
                             std::make_shared<FaultStore>(bucket_.store(), Always(StoreOp::kList, denied)));
  const std::vector<std::string> uris = Fill(600, 1, "unlisted");
  ExpectAll(Find(uris), uris);
}

TEST_F(ObjectLookupTest, AMissingOneAmongManyIsNamed) {
  std::vector<std::string> uris = Fill(1200, 1);
  uris[7] = "mem://seen/k/100500x";
  const Error error = ErrorOf([&] { Find(uris); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("k/100500x"));
  EXPECT_THAT(error.what(), HasSubstr("place 7"));
}

TEST_F(ObjectLookupTest, ProgressCountsAllBuckets) {
  bucket_.Put("a", "1");
  std::vector<uint64_t> progress;
  Find({"mem://data/a", "mem://seen/a"},
       {.listing_progress = [&](uint64_t objects) { progress.push_back(objects); }});
  EXPECT_THAT(progress, ElementsAre(1, 2));
}

TEST_F(ObjectLookupTest, WhatIsNoUriOfAnObjectIsAnErrorWithItsPlace) {
  bucket_.Put("a", "1");
  for (const char* uri : {"mem://data", "mem://data/", "http://host/a", ""}) {
    const Error error = ErrorOf([&] { Find({"mem://data/a", uri}); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), HasSubstr("place 1"));
  }
}

TEST_F(ObjectLookupTest, FilesAreObjectsToo) {
  const testing::TempFolder folder;
  folder.Put("x/a", "12");
  bucket_.Put("b", "345");
  const FoundObjects found = Find({"mem://data/b", folder.Path("x/a")});
  EXPECT_EQ(found.objects.Read(found.numbers[0]).data.view(), "345");
  EXPECT_EQ(found.objects.Read(found.numbers[1]).data.view(), "12");
}

TEST_F(ObjectLookupTest, VersionsAreNotKnown) {
  bucket_.Put("a", "1");
  const Error error = ErrorOf([&] { Find({"mem://data/a"}, {.pin = PinMode::kVersion}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), HasSubstr("pin=\"etag\""));
}

}  // namespace
}  // namespace bucketline
