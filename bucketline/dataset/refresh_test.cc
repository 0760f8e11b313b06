// A listing that goes on from an older manifest, or from an inventory.
#include <cstdio>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/hash.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/records/gzip_testing.h"
#include "bucketline/store/recording_store.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;

class Refresh : public ::testing::Test {
 protected:
  Refresh() { runtime_.AddStore("data", recording_); }

  void Put(int from, int to) {
    for (int i = from; i < to; ++i) PutBytes(*store_, fmt::format("p/{:06}.jpg", i), "x");
  }

  Dataset Open(std::optional<Manifest> since = {}, std::string uri = "mem://data/p/") {
    DatasetOptions options;
    options.listing.since = std::move(since);
    options.listing.note = [&](const std::string& line) { notes_.push_back(line); };
    recording_->Forget();
    return Dataset::Open(runtime_, uri, options);
  }

  Manifest Old() { return Open().manifests().manifests().front(); }

  // That the refreshed data set is what a whole listing gives.
  void ExpectWhole(const Dataset& dataset) { EXPECT_EQ(dataset.fingerprint(), Open().fingerprint()); }

  const std::shared_ptr<ObjectStore> store_ = MakeMemoryStore("data");
  const std::shared_ptr<RecordingStore> recording_ = std::make_shared<RecordingStore>(store_);
  Runtime runtime_{testing::Quiet()};
  std::vector<std::string> notes_;
};

TEST_F(Refresh, OnlyNewKeysAreListed) {
  Put(0, 30'000);
  const Manifest old = Old();
  Put(30'000, 30'500);
  PutBytes(*store_, "p/0notes.txt", "never counted");
  const Dataset dataset = Open(old);
  EXPECT_LE(recording_->CountOf(StoreOp::kList), 12u);  // eight spot checks, and a page
  EXPECT_EQ(dataset.size(), 30'500u);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("only keys after \"p/029999.jpg\" were listed")));
  ExpectWhole(dataset);
}

TEST_F(Refresh, NothingNewIsASuccess) {
  Put(0, 10'000);
  const Manifest old = Old();
  const Dataset dataset = Open(old);
  EXPECT_EQ(dataset.size(), 10'000u);
  ExpectWhole(dataset);
}

TEST_F(Refresh, ADifferenceThatIsSeenHasAllListed) {
  for (const std::string change : {"overwritten", "deleted", "inserted"}) {
    Put(0, 20'000);
    const Manifest old = Old();
    Put(20'000, 20'010);
    if (change == "overwritten") PutBytes(*store_, "p/000001.jpg", "other");
    if (change == "deleted") DeleteObject(*store_, "p/019990.jpg");
    if (change == "inserted") PutBytes(*store_, "p/000001b.jpg", "x");
    notes_.clear();
    const Dataset dataset = Open(old);
    EXPECT_THAT(notes_, ElementsAre(HasSubstr("all is listed: after"))) << change;
    ExpectWhole(dataset);
  }
}

TEST_F(Refresh, FewOldKeysAreAllCompared) {
  Put(0, 3000);
  const Manifest old = Old();
  PutBytes(*store_, "p/001500.jpg", "other");
  ExpectWhole(Open(old));
  EXPECT_THAT(notes_.front(), HasSubstr("all is listed"));
}

TEST_F(Refresh, AnotherPrefixOrOtherRecordsAreRefused) {
  Put(0, 10);
  const Manifest old = Old();
  Error error = ErrorOf([&] { Open(old, "mem://data/"); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), HasSubstr("of another prefix than mem://data/"));
  ManifestBuilder builder("mem://data/p/", {"image", "mask"});
  error = ErrorOf([&] { Open(std::move(builder).Build()); });
  EXPECT_THAT(error.message(), HasSubstr("not of raw objects"));
}

// An inventory as S3 writes it, into the bucket "data".
class Inventory : public Refresh {
 protected:
  struct File {
    std::string csv;
    std::optional<std::string> md5 = {};
  };

  void Write(const std::vector<File>& files, const std::string& schema = "Bucket, Key, Size, ETag",
             const std::string& bucket = "data", const std::string& format = "CSV") {
    std::string list;
    for (size_t i = 0; i < files.size(); ++i) {
      const std::string key = fmt::format("inventory/data/{}.csv.gz", i);
      const std::string bytes = testing::Gzip(files[i].csv);
      PutBytes(*store_, key, bytes);
      list += fmt::format(R"({}{{"key": "{}", "size": {}, "MD5checksum": "{}"}})", i > 0 ? ", " : "", key,
                          bytes.size(), files[i].md5.value_or(Hex(Md5(bytes))));
    }
    PutBytes(*store_, "inventory/manifest.json",
             fmt::format(
                 R"({{"sourceBucket": "{}", "destinationBucket": "arn:aws:s3:::data", "version": "2016-11-30",
                            "creationTimestamp": "1514944800000", "fileFormat": "{}", "fileSchema": "{}",
                            "files": [{}]}})",
                 bucket, format, schema, list));
  }

  Dataset OpenInventory(DatasetOptions options = {}) {
    options.listing.inventory = "mem://data/inventory/manifest.json";
    options.listing.note = [&](const std::string& line) { notes_.push_back(line); };
    recording_->Forget();
    return Dataset::Open(runtime_, "mem://data/p/", options);
  }

  std::string Refusal(DatasetOptions options = {}) {
    return ErrorOf([&] { OpenInventory(std::move(options)); }).what();
  }

  std::string Line(const ObjectInfo& object, const std::string& key) {
    const std::string etag = object.etag.substr(1, object.etag.size() - 2);
    return fmt::format("\"data\",\"{}\",\"{}\",\"{}\"\n", key, object.size, etag);
  }
};

TEST_F(Inventory, IsTheListing) {
  Put(0, 3000);
  const std::map<std::string, std::string> odd = {{"p/a b+c%.jpg", "p/a+b%2Bc%25.jpg"},
                                                  {"p/d e.jpg", "p/d%20e.jpg"},
                                                  {"p/\xc3\xa4,\"\n.jpg", "p/%C3%A4%2C%22%0A.jpg"}};
  for (const auto& [key, encoded] : odd) PutBytes(*store_, key, "odd");
  std::vector<File> files(3);
  size_t next = 0;
  for (const ObjectInfo& object : ListAll(*store_, "")) {
    const auto it = odd.find(object.key);
    files[next++ % 3].csv += Line(object, it == odd.end() ? object.key : it->second);
  }
  files[1].csv += "\"data\",\"elsewhere/x.jpg\",\"1\",\"00\"\n";
  Write(files);
  const Dataset dataset = OpenInventory();
  EXPECT_EQ(dataset.size(), 3003u);
  EXPECT_EQ(recording_->CountOf(StoreOp::kList), 0u);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("inventory of 2018-01-03 02:00:00 UTC was read, 3 files")));
  ExpectWhole(dataset);
  EXPECT_EQ(dataset.Read(0).data.view(), "x") << "its ETag is the store's";
}

TEST_F(Inventory, OfAllVersionsTakesTheCurrentOnes) {
  Write({{"p/a.jpg,v2,true,false,3,aa\np/a.jpg,v1,false,false,2,bb\np/b.jpg,v3,true,true,,\n"}},
        "Key, VersionId, IsLatest, IsDeleteMarker, Size, ETag");
  const Dataset dataset = OpenInventory();
  ASSERT_EQ(dataset.size(), 1u);
  EXPECT_EQ(dataset.manifests().At(0).parts.front().object_size, 3u);
  const Dataset versions = OpenInventory({.pin = PinMode::kVersion});
  EXPECT_EQ(versions.manifests().At(0).parts.front().version, "v2");
}

TEST_F(Inventory, WhatCannotBeUsedSaysWhy) {
  const std::string line = "data,p/a.jpg,1,aa\n";
  Write({{line}}, "Bucket, Key, Size, ETag", "other");
  EXPECT_THAT(Refusal(), HasSubstr("inventory of the bucket \"other\", not of \"data\""));
  Write({{line}}, "Bucket, Key, Size, ETag", "data", "Parquet");
  EXPECT_THAT(Refusal(), HasSubstr("the inventory is Parquet; configure it as CSV"));
  Write({{line}}, "Bucket, Key, LastModifiedDate, ETag");
  EXPECT_THAT(Refusal(), HasSubstr("no field Size"));
  Write({{"data,p/a.jpg,1\n"}}, "Bucket, Key, Size");
  EXPECT_THAT(Refusal(), HasSubstr("no field ETag"));
  EXPECT_EQ(OpenInventory({.pin = PinMode::kSize}).size(), 1u);
  EXPECT_THAT(Refusal({.pin = PinMode::kVersion}), HasSubstr("no field VersionId"));
  Write({{line}, {"data,p/b.jpg,many,aa\n"}});
  EXPECT_THAT(Refusal(),
              ::testing::AllOf(HasSubstr("inventory/data/1.csv.gz"), HasSubstr("\"many\", no number")));
  Write({{"data,p/b.jpg\n"}});
  EXPECT_THAT(Refusal(), HasSubstr("a line has 2 fields where the schema has 4"));
  Write({{line, "00"}});
  EXPECT_THAT(Refusal(), HasSubstr("its MD5 is not the one"));
  PutBytes(*store_, "inventory/manifest.json", "[1]");
  EXPECT_THAT(Refusal(), HasSubstr("not the manifest.json of an S3 Inventory"));
  DatasetOptions both;
  both.listing.since = Manifest();
  EXPECT_THAT(Refusal(both), HasSubstr("no use beside an inventory"));
}

}  // namespace
}  // namespace bucketline
