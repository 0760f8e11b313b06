// pin=version against real servers whose buckets keep versions.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/bare_request.h"
#include "tests/support/minio.h"
#include "tests/support/versitygw.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/store/store_testing.h"

namespace bucketline::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Makes the bucket keep versions from now on.
void KeepVersions(const S3TestServer& server, const std::string& bucket) {
  S3Request request;
  request.method = "PUT";
  request.query = {{"versioning", ""}};
  SetBody(request, Bytes::Copy("<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                               "<Status>Enabled</Status></VersioningConfiguration>"));
  SendBareRequest(bucket, server.Options(), std::move(request));
}

enum class Kind { kVersitygw, kMinio };

class VersionPin : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    const bool minio = GetParam() == Kind::kMinio;
    const std::string program = minio ? Minio::FindProgram() : Versitygw::FindProgram();
    if (program.empty()) {
      SkipOrFailWithout(minio ? "minio" : "versitygw", minio ? "BUCKETLINE_MINIO" : "BUCKETLINE_VERSITYGW");
      return;
    }
    if (minio) {
      server_ = std::make_unique<Minio>(program);
    } else {
      server_ = std::make_unique<Versitygw>(program, Versitygw::Versions::kKept);
    }
    RuntimeOptions options = Quiet();
    options.s3 = server_->Options();
    runtime_ = std::make_unique<Runtime>(options);
    bucket_ = server_->MakeBucket();
    store_ = runtime_->StoreFor(Uri::Parse(UriOf("")));
  }

  std::string UriOf(const std::string& prefix) const { return "s3://" + bucket_ + "/" + prefix; }
  Dataset Open(const std::string& prefix, PinMode pin = PinMode::kVersion) {
    return Dataset::Open(*runtime_, UriOf(prefix), {.extensions = {}, .pin = pin});
  }

  std::unique_ptr<S3TestServer> server_;
  std::unique_ptr<Runtime> runtime_;
  std::string bucket_;
  std::shared_ptr<ObjectStore> store_;
};

TEST_P(VersionPin, WhatWasListedIsReadWhateverCameLater) {
  KeepVersions(*server_, bucket_);
  const std::string large(40 << 20, 'l');  // read in several ranges
  PutBytes(*store_, "d/a", "first");
  PutBytes(*store_, "d/b", "of b");
  PutBytes(*store_, "d/empty", "");
  PutBytes(*store_, "d/large", large);
  const Dataset before = Open("d/");
  ASSERT_EQ(before.size(), 4u);
  for (const char* key : {"d/a", "d/empty", "d/large"})
    PutBytes(*store_, key, "a later one, of another size");
  DeleteObject(*store_, "d/b");
  EXPECT_EQ(before.Read(0).data.ToString(), "first");
  EXPECT_EQ(before.Read(1).data.ToString(), "of b");
  EXPECT_EQ(before.Read(2).data.ToString(), "");
  EXPECT_TRUE(before.Read(3).data.ToString() == large);
  const Dataset after = Open("d/");
  ASSERT_EQ(after.size(), 3u) << "what is deleted is not listed";
  EXPECT_EQ(after.Read(0).data.ToString(), "a later one, of another size");
  EXPECT_NE(after.fingerprint(), before.fingerprint());
}

// More versions than a page holds, of keys that have to be encoded.
TEST_P(VersionPin, TheListingGoesOnFromPageToPage) {
  KeepVersions(*server_, bucket_);
  std::vector<std::string> keys;
  for (int i = 0; i < 30; ++i) keys.push_back("d/k " + std::to_string(100 + i) + "+%41&=\xc3\xa9");
  for (const char* text : {"1", "22", "333"}) {
    for (const std::string& key : keys) PutBytes(*store_, key, text);
  }
  ListRequest request;
  request.prefix = "d/";
  request.versions = true;
  request.max_keys = 7;
  std::vector<ObjectInfo> listed;
  int pages = 0;
  do {
    ListPage page = ListOnePage(*store_, request);
    for (ObjectInfo& object : page.objects) listed.push_back(std::move(object));
    request.token = page.next_token;
    ASSERT_LT(++pages, 100);
  } while (!request.token.empty());
  EXPECT_GT(pages, 5);
  ASSERT_EQ(listed.size(), keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(listed[i].key, keys[i]);
    EXPECT_EQ(listed[i].size, 3u);
  }
}

TEST_P(VersionPin, ABucketThatKeepsNoneIsToldApart) {
  PutBytes(*store_, "d/a", "x");
  const Error error = ErrorOf([&] { Open("d/"); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("has no version"), HasSubstr("pin=\"etag\"")));
  EXPECT_EQ(Open("d/", PinMode::kEtag).Read(0).data.ToString(), "x");
}

INSTANTIATE_TEST_SUITE_P(S3, VersionPin, ::testing::Values(Kind::kVersitygw, Kind::kMinio),
                         [](const auto& kind) { return kind.param == Kind::kMinio ? "Minio" : "Versitygw"; });

}  // namespace
}  // namespace bucketline::testing
