// A loader over a real S3 server: list, fetch, decode, over real sockets.
#include <cstdlib>
#include <memory>
#include <string>

#include "tests/support/versitygw.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"

namespace bucketline::testing {
namespace {

constexpr uint64_t kImages = 24;

// A missing server is a visible skip on a laptop and a failure in CI.
class LoaderS3 : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string program = Versitygw::FindProgram();
    if (program.empty()) {
      const char* ci = std::getenv("CI");
      const std::string reason = "versitygw is not installed: set BUCKETLINE_VERSITYGW, or put it into PATH";
      if (ci != nullptr && std::string(ci) == "true") FAIL() << reason;
      GTEST_SKIP() << reason;
    }
    server_ = std::make_unique<Versitygw>(program);
    RuntimeOptions options = Quiet();
    options.s3 = server_->Options();
    runtime_ = std::make_unique<Runtime>(options);
    prefix_ = "s3://" + server_->MakeBucket() + "/train/";
    store_ = runtime_->StoreFor(Uri::Parse(prefix_));
    for (uint64_t i = 0; i < kImages; ++i) {
      PutBytes(*store_, "train/" + ImageKey(i), EncodeJpeg(MakePicture(kWidth, kHeight, 3, i)));
    }
  }

  Dataset Open() { return Dataset::Open(*runtime_, prefix_, {.labels = Labels::Folder()}); }

  std::unique_ptr<Versitygw> server_;
  std::unique_ptr<Runtime> runtime_;
  std::shared_ptr<ObjectStore> store_;
  std::string prefix_;
};

TEST_F(LoaderS3, GivesTheSameAsFromMemory) {
  const Dataset dataset = Open();
  ASSERT_EQ(dataset.size(), kImages);
  EXPECT_EQ(dataset.classes().size(), 3u);
  LoaderOptions options = SmallOptions(7);
  options.shuffle = true;
  options.last = LastPolicy::kPartial;
  Loader loader(dataset, options);
  ImageBucket bucket(kImages);
  Loader reference(bucket.Open(), options);
  const std::vector<Given> batches = Epochs(loader, 2);
  std::vector<Given> expected = Epochs(reference, 2);
  ASSERT_EQ(batches.size(), expected.size());
  for (size_t i = 0; i < batches.size(); ++i) {
    EXPECT_EQ(batches[i].indices, expected[i].indices);
    EXPECT_EQ(batches[i].pixels, expected[i].pixels);
  }
  EXPECT_LE(loader.Stats().budget_peak, options.memory);
  EXPECT_GE(runtime_->counters().requests.value(), 2 * kImages);
}

TEST_F(LoaderS3, AnObjectThatChangedIsRaised) {
  const Dataset dataset = Open();
  PutBytes(*store_, dataset.Key(5), EncodeJpeg(MakePicture(kWidth, kHeight, 3, 4711)));
  Loader loader(dataset, SmallOptions(4));
  ASSERT_TRUE(loader.Next());
  const Error error = ErrorOf([&] { loader.Next(); });
  EXPECT_EQ(error.code(), ErrorCode::kObjectChanged);
  EXPECT_THAT(error.what(), ::testing::HasSubstr(dataset.UriAt(5)));
}

TEST_F(LoaderS3, ASavedManifestOpensInAnotherRuntime) {
  const std::string saved = prefix_.substr(0, prefix_.size() - 6) + "v1.manifest";
  Open().Save(saved);
  RuntimeOptions options = Quiet();
  options.s3 = server_->Options();
  Runtime other(options);
  const Dataset opened = Dataset::Open(other, saved);
  EXPECT_EQ(opened.size(), kImages);
  Loader loader(opened, SmallOptions(10));
  EXPECT_EQ(RestOfEpoch(loader).size(), 3u);
}

}  // namespace
}  // namespace bucketline::testing
