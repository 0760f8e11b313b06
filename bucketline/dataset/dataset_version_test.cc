#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::Bucket;
using testing::ErrorOf;
using ::testing::HasSubstr;

// A store that keeps versions: each is an object of its own, "@number/key", out of sight of those below "d/".
class VersionedStore : public ObjectStore {
 public:
  void Put(const std::string& key, std::string_view text) {
    current_[key] = std::to_string(++last_);
    PutBytes(*inner_, key, text);
    PutBytes(*inner_, Kept(current_[key], key), text);
  }

  void List(ListRequest request, std::function<void(Result<ListPage>)> done) override {
    const bool versions = std::exchange(request.versions, false);
    inner_->List(std::move(request), [this, versions, done = std::move(done)](Result<ListPage> page) {
      if (page && versions) {
        for (ObjectInfo& object : page->objects) object.version = current_.at(object.key);
      }
      done(std::move(page));
    });
  }
  void Get(GetRequest request, std::shared_ptr<GetSink> sink,
           std::function<void(Result<ObjectInfo>)> done) override {
    if (!request.pin.version.empty()) request.key = Kept(std::exchange(request.pin.version, ""), request.key);
    inner_->Get(std::move(request), std::move(sink), std::move(done));
  }
  void Head(std::string key, std::function<void(Result<ObjectInfo>)> done) override {
    inner_->Head(std::move(key), std::move(done));
  }
  void Delete(std::string key, std::function<void(Result<void>)> done) override {
    inner_->Delete(std::move(key), std::move(done));
  }
  std::unique_ptr<ObjectWriter> OpenWriter(std::string key, WriteCondition condition) override {
    return inner_->OpenWriter(std::move(key), std::move(condition));
  }
  std::string UriOf(std::string_view key) const override { return inner_->UriOf(key); }

 private:
  static std::string Kept(const std::string& version, const std::string& key) {
    return "@" + version + "/" + key;
  }

  std::map<std::string, std::string> current_;
  int last_ = 0;
  const std::unique_ptr<ObjectStore> inner_ = MakeMemoryStore("versions");
};

class DatasetVersion : public ::testing::Test {
 protected:
  DatasetVersion() {
    bucket_.runtime().AddStore("versions", store_);
    store_->Put("d/a.jpg", "first");
    store_->Put("d/b.jpg", "other");
  }
  Dataset Open(std::string_view uri = "mem://versions/d/", PinMode pin = PinMode::kVersion) {
    return bucket_.Open(uri, {.pin = pin});
  }

  std::shared_ptr<VersionedStore> store_ = std::make_shared<VersionedStore>();
  Bucket bucket_;
};

TEST_F(DatasetVersion, WhatWasListedIsReadWhateverCameLater) {
  const Dataset dataset = Open();
  EXPECT_TRUE(dataset.manifests().manifests().front().has_versions());
  store_->Put("d/a.jpg", "a later and longer one");
  EXPECT_EQ(dataset.Read(0).data.ToString(), "first");
  EXPECT_EQ(Open().Read(0).data.ToString(), "a later and longer one");
  EXPECT_NE(Open().fingerprint(), dataset.fingerprint());
}

TEST_F(DatasetVersion, ASavedManifestKeepsThem) {
  Open().Save("mem://versions/m.manifest");
  store_->Put("d/a.jpg", "later");
  EXPECT_EQ(Open("mem://versions/m.manifest").Read(0).data.ToString(), "first");
  EXPECT_EQ(ErrorOf([&] { Open("mem://versions/m.manifest", PinMode::kEtag).Read(0); }).code(),
            ErrorCode::kObjectChanged);
  Open("mem://versions/d/", PinMode::kEtag).Save("mem://versions/plain.manifest");
  const Error error = ErrorOf([&] { Open("mem://versions/plain.manifest"); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("saved without versions"), HasSubstr("pin=\"etag\"")));
}

TEST_F(DatasetVersion, AStoreWithoutVersionsIsToldApart) {
  bucket_.Put("x.jpg", "x");
  const Error error = ErrorOf([&] { bucket_.Open("mem://data/", {.pin = PinMode::kVersion}); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("keeps no versions"), HasSubstr("pin=\"etag\"")));
}

}  // namespace
}  // namespace bucketline
