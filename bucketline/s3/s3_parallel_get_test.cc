#include "bucketline/s3/s3_parallel_get.h"

#include <atomic>
#include <charconv>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/s3_testing.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using testing::Completion;
using testing::ErrorAnswer;
using ::testing::HasSubstr;
using testing::RampBytes;
using testing::ScriptedS3;
using testing::VectorSink;

constexpr uint64_t kMiB = 1 << 20;

// Serves ranges of one object.
class S3ParallelGetTest : public ::testing::Test {
 protected:
  S3ParallelGetTest() {
    s3_.transport.SetHandler([this](const HttpRequest& request) { return Answer(request); });
  }

  ScriptedAnswer Answer(const HttpRequest& request) {
    const std::string range(request.headers.Find("Range").value_or("bytes=0-"));
    uint64_t first = 0, last = data_.size() - 1;
    const size_t dash = range.find('-');
    std::from_chars(range.data() + 6, range.data() + dash, first);
    std::from_chars(range.data() + dash + 1, range.data() + range.size(), last);
    if (first >= data_.size()) return ErrorAnswer(416, "InvalidRange");
    last = std::min<uint64_t>(last, data_.size() - 1);
    ranges_.insert({first, last});
    if (override) {
      if (auto answer = override(first)) return *answer;
    }
    ScriptedAnswer answer = AnswerWith(
        206,
        {data_.begin() + static_cast<ptrdiff_t>(first), data_.begin() + static_cast<ptrdiff_t>(last + 1)},
        {{"ETag", etag}, {"Content-Range", fmt::format("bytes {}-{}/{}", first, last, data_.size())}});
    answer.piece = kMiB;
    return answer;
  }

  Result<ObjectInfo> Get(GetRequest request) {
    sink_ = std::make_shared<VectorSink>();
    Completion<ObjectInfo> done;
    store_->Get(std::move(request), sink_, done.Done());
    return done.Wait();
  }
  GetRequest Pinned(Pin pin) {
    GetRequest request = testing::Whole("k");
    request.pin = std::move(pin);
    return request;
  }

  const std::vector<uint8_t> data_ = RampBytes(20 * kMiB + 5);
  std::string etag = "\"e\"";
  std::function<std::optional<ScriptedAnswer>(uint64_t first)> override;  // of the transport's thread
  std::set<std::pair<uint64_t, uint64_t>> ranges_;                        // to be read when nothing runs
  ScriptedS3 s3_;
  std::unique_ptr<ObjectStore> store_ = s3_.Store();
  std::shared_ptr<VectorSink> sink_;
};

TEST_F(S3ParallelGetTest, ALargeObjectComesInAlignedRangesOfOneState) {
  const auto object = Get(Pinned({.etag = etag, .size = data_.size()}));
  ASSERT_TRUE(object) << object.error().what();
  EXPECT_TRUE(sink_->bytes() == data_);
  EXPECT_EQ(object->size, data_.size());
  EXPECT_EQ(sink_->begins(), 1);
  EXPECT_EQ(sink_->begun_size(), data_.size());
  EXPECT_THAT(ranges_, ::testing::ElementsAre(std::pair(0, 8 * kMiB - 1), std::pair(8 * kMiB, 16 * kMiB - 1),
                                              std::pair(16 * kMiB, 20 * kMiB + 4)));
  for (const HttpRequest& request : s3_.transport.requests())
    EXPECT_EQ(request.headers.Find("If-Match"), etag);
}

TEST_F(S3ParallelGetTest, ARangeInsideToo) {
  ASSERT_TRUE(Get(testing::Range("k", 3, 17 * kMiB)));
  EXPECT_TRUE(std::equal(sink_->bytes().begin(), sink_->bytes().end(), data_.begin() + 3));
  EXPECT_EQ(sink_->bytes().size(), 17 * kMiB);
  EXPECT_THAT(ranges_, ::testing::ElementsAre(std::pair(3, 8 * kMiB - 1), std::pair(8 * kMiB, 16 * kMiB - 1),
                                              std::pair(16 * kMiB, 17 * kMiB + 2)));
}

TEST_F(S3ParallelGetTest, WithoutAnEtagToPinRangesOfTwoStatesAreNeverMixed) {
  override = [this](uint64_t first) -> std::optional<ScriptedAnswer> {
    if (first > 0) etag = "\"other\"";
    return std::nullopt;
  };
  const auto result = Get(Pinned({.etag = "", .size = data_.size()}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kObjectChanged);
  EXPECT_THAT(result.error().what(), HasSubstr("s3://bucket/k"));
  for (const HttpRequest& request : s3_.transport.requests()) EXPECT_FALSE(request.headers.Find("If-Match"));
}

TEST_F(S3ParallelGetTest, AnotherSizeThanPinnedIsAChangedObject) {
  const auto result = Get(Pinned({.etag = etag, .size = data_.size() + 1}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kObjectChanged);
  EXPECT_EQ(sink_->begins(), 0);
}

TEST_F(S3ParallelGetTest, ARangeBeyondTheEndIsRefused) {
  const auto result = Get(testing::Range("k", 0, data_.size() + 1));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(sink_->begins(), 0);
  EXPECT_FALSE(Get(testing::Range("k", UINT64_MAX - 20 * kMiB, 20 * kMiB)));
}

TEST_F(S3ParallelGetTest, EveryRangeIsTriedAgainOnItsOwn) {
  std::set<uint64_t> failed;
  override = [&failed](uint64_t first) -> std::optional<ScriptedAnswer> {
    if (failed.insert(first).second) return ErrorAnswer(500, "InternalError");
    return std::nullopt;
  };
  ASSERT_TRUE(Get(Pinned({.etag = etag, .size = data_.size()})));
  EXPECT_TRUE(sink_->bytes() == data_);
  EXPECT_EQ(s3_.counters.retries.value(), 3u);
}

TEST_F(S3ParallelGetTest, OneRangeThatFailsEndsAll) {
  override = [](uint64_t first) -> std::optional<ScriptedAnswer> {
    if (first == 8 * kMiB) return ErrorAnswer(403, "AccessDenied");
    if (first != 16 * kMiB) return std::nullopt;
    ScriptedAnswer hang;
    hang.hang = true;
    return hang;
  };
  const auto result = Get(Pinned({.etag = etag, .size = data_.size()}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kPermissionDenied);
}

TEST_F(S3ParallelGetTest, AStopEndsAll) {
  std::stop_source stop;
  override = [&stop](uint64_t first) -> std::optional<ScriptedAnswer> {
    if (first == 0) return std::nullopt;
    stop.request_stop();
    ScriptedAnswer hang;
    hang.hang = true;
    return hang;
  };
  GetRequest request = Pinned({.etag = etag, .size = data_.size()});
  request.stop = stop.get_token();
  const auto result = Get(std::move(request));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kCancelled);
}

TEST_F(S3ParallelGetTest, WhatIsSmallerIsOneRequest) {
  ASSERT_TRUE(Get(testing::Range("k", 0, 16 * kMiB - 1)));
  EXPECT_EQ(s3_.transport.requests().size(), 1u);
}

}  // namespace
}  // namespace bucketline
