#include "bucketline/dataset/download.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/store/blocking.h"
#include "bucketline/store/memory_store.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class DownloadTest : public ::testing::Test {
 protected:
  DownloadTest() : source_(MakeMemoryStore("from")), target_(MakeMemoryStore("to")) {
    runtime_.AddStore("from", source_);
  }

  Dataset Open(const std::string& uri = "mem://from/p/") {
    return Dataset::Open(runtime_, uri, {.extensions = {}});
  }

  std::shared_ptr<ObjectStore> source_;
  std::unique_ptr<ObjectStore> target_;
  Runtime runtime_{{.log = LogToNowhere()}};
};

std::string Ramp(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
  return text;
}

TEST_F(DownloadTest, CopiesEveryObjectWholeUnderItsRelativeKey) {
  for (int i = 0; i < 40; ++i)
    PutBytes(*source_, "p/" + std::to_string(i) + "/x", Ramp(static_cast<size_t>(i * 1000)));
  uint64_t seen = 0;
  const DownloadReport report = Download(
      Open(), target_.get(),
      {.parallel = 7, .piece = 4096, .target_prefix = "q/", .progress = [&](uint64_t objects, uint64_t) {
         seen = objects;
       }});
  EXPECT_EQ(report.objects, 40u);
  EXPECT_EQ(report.failed, 0u);
  EXPECT_EQ(seen, 40u);
  uint64_t bytes = 0;
  for (int i = 0; i < 40; ++i) {
    const Bytes copy = GetBytes(*target_, "q/" + std::to_string(i) + "/x");
    EXPECT_EQ(copy.view(), Ramp(static_cast<size_t>(i * 1000)));
    bytes += copy.size();
  }
  EXPECT_EQ(report.bytes, bytes);
}

TEST_F(DownloadTest, ToNowhereReadsEverything) {
  PutBytes(*source_, "p/a", Ramp(10'000));
  const DownloadReport report = Download(Open(), nullptr, {.piece = 999});
  EXPECT_EQ(report.objects, 1u);
  EXPECT_EQ(report.bytes, 10'000u);
}

TEST_F(DownloadTest, OneObjectKeepsItsName) {
  PutBytes(*source_, "p/deep/name.bin", Ramp(10));
  Download(Open("mem://from/p/deep/name.bin"), target_.get());
  EXPECT_EQ(GetBytes(*target_, "name.bin").size(), 10u);
}

TEST_F(DownloadTest, PathsBeginWhereTheyAreSaidTo) {
  PutBytes(*source_, "p/train-1.csv", Ramp(10));
  Download(Open("mem://from/p/train"), target_.get(), {.target_prefix = "q/", .path_start = 2});
  EXPECT_EQ(GetBytes(*target_, "q/train-1.csv").size(), 10u);
}

TEST_F(DownloadTest, EachWholeObjectIsTold) {
  for (const char* key : {"p/a", "p/b", "p/c"}) PutBytes(*source_, key, Ramp(100));
  const Dataset dataset = Open();
  DeleteObject(*source_, "p/b");
  std::map<uint64_t, std::string> told;
  const DownloadReport report =
      Download(dataset, target_.get(), {.written = [&](uint64_t index, const ObjectInfo& written) {
                 told[index] = written.etag;
                 if (index == 2) throw Error(ErrorCode::kIo, "cannot note it");
               }});
  EXPECT_THAT(
      told, ElementsAre(Pair(0u, HeadObject(*target_, "a").etag), Pair(2u, HeadObject(*target_, "c").etag)));
  EXPECT_EQ(report.objects, 1u);
  EXPECT_EQ(report.failed, 2u) << "an object that cannot be noted is a failure";
}

TEST_F(DownloadTest, OneFailureDoesNotStopTheOthersAndIsNamed) {
  for (const char* key : {"p/a", "p/b", "p/c"}) PutBytes(*source_, key, Ramp(100));
  const Dataset dataset = Open();
  PutBytes(*source_, "p/b", Ramp(101));  // changed after the listing
  const DownloadReport report = Download(dataset, target_.get());
  EXPECT_EQ(report.objects, 2u);
  EXPECT_EQ(report.failed, 1u);
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_EQ(report.failures[0].code(), ErrorCode::kObjectChanged);
  EXPECT_THAT(report.failures[0].what(), HasSubstr("mem://from/p/b"));
  EXPECT_THROW(GetBytes(*target_, "b"), Error);
}

TEST_F(DownloadTest, AStopIsCancelled) {
  PutBytes(*source_, "p/a", Ramp(100));
  std::stop_source stop;
  stop.request_stop();
  try {
    Download(Open(), target_.get(), {}, stop.get_token());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
}

}  // namespace
}  // namespace bucketline
