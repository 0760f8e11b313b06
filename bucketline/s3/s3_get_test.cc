#include "bucketline/s3/s3_get.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/s3_testing.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::Completion;
using testing::ErrorAnswer;
using ::testing::HasSubstr;
using testing::ObjectAnswer;
using testing::Range;
using testing::ScriptedS3;
using testing::VectorSink;
using testing::Whole;

ScriptedAnswer Part(std::string body, std::string content_range, std::string etag = "\"e\"") {
  return AnswerWith(206, std::move(body),
                    {{"ETag", std::move(etag)}, {"Content-Range", std::move(content_range)}});
}

class S3GetTest : public ::testing::Test {
 protected:
  Result<ObjectInfo> Get(GetRequest request) {
    sink_ = std::make_shared<VectorSink>(refusal_);
    Completion<ObjectInfo> done;
    store_->Get(std::move(request), sink_, done.Done());
    return done.Wait();
  }
  Error Refusal(GetRequest request) {
    const auto result = Get(std::move(request));
    return result ? Error(ErrorCode::kInternal, "it succeeded") : result.error();
  }
  std::string Body() const { return {sink_->bytes().begin(), sink_->bytes().end()}; }
  std::string Header(size_t request, const char* name) {
    return std::string(s3_.transport.requests()[request].headers.Find(name).value_or("(none)"));
  }
  size_t requests() { return s3_.transport.requests().size(); }

  ScriptedS3 s3_;
  std::unique_ptr<ObjectStore> store_ = s3_.Store();
  std::optional<Error> refusal_;
  std::shared_ptr<VectorSink> sink_;
};

TEST_F(S3GetTest, WholeObject) {
  s3_.transport.Push(ObjectAnswer("hello"));
  const auto object = Get(Whole("a/b c"));
  ASSERT_TRUE(object) << object.error().what();
  EXPECT_EQ(Body(), "hello");
  EXPECT_EQ(object->key, "a/b c");
  EXPECT_EQ(object->size, 5u);
  EXPECT_EQ(object->etag, "\"e\"");
  EXPECT_EQ(object->last_modified, testing::kTestTime);
  EXPECT_EQ(s3_.transport.requests()[0].url, "http://store.test:9000/bucket/a/b%20c");
  EXPECT_EQ(Header(0, "Range"), "(none)");
  EXPECT_EQ(Header(0, "If-Match"), "(none)");
}

TEST_F(S3GetTest, RangesWithAndWithoutAnEnd) {
  s3_.transport.Push(Part("llo", "bytes 2-4/9"));
  const auto object = Get(Range("k", 2, 3));
  ASSERT_TRUE(object) << object.error().what();
  EXPECT_EQ(Body(), "llo");
  EXPECT_EQ(object->size, 9u);
  EXPECT_EQ(sink_->begun_object().size, 9u);
  EXPECT_EQ(Header(0, "Range"), "bytes=2-4");
  s3_.transport.Push(Part("rest", "bytes 5-8/9"));
  ASSERT_TRUE(Get(Range("k", 5, {})));
  EXPECT_EQ(Header(1, "Range"), "bytes=5-");
  EXPECT_EQ(Body(), "rest");
}

TEST_F(S3GetTest, ThePinnedEtagGoesWithTheRequestAndIsChecked) {
  GetRequest request = Whole("k");
  request.pin.etag = "\"e\"";
  s3_.transport.Push(ObjectAnswer("x"));
  ASSERT_TRUE(Get(request));
  EXPECT_EQ(Header(0, "If-Match"), "\"e\"");
  s3_.transport.Push(ErrorAnswer(412, "PreconditionFailed"));
  EXPECT_EQ(Refusal(request).code(), ErrorCode::kObjectChanged);
  // A store that ignores If-Match.
  s3_.transport.Push(ObjectAnswer("y", "\"other\""));
  const Error other = Refusal(request);
  EXPECT_EQ(other.code(), ErrorCode::kObjectChanged);
  EXPECT_THAT(other.message(), HasSubstr("list again"));
  EXPECT_EQ(sink_->begins(), 0);
  s3_.transport.Push(AnswerWith(200, "y"));
  EXPECT_EQ(Refusal(request).code(), ErrorCode::kUnsupported);
  s3_.transport.Push(ErrorAnswer(501, "NotImplemented"));
  EXPECT_THAT(Refusal(request).message(), HasSubstr("pin=\"size\""));
  EXPECT_EQ(requests(), 5u);
}

TEST_F(S3GetTest, ThePinnedSizeIsChecked) {
  GetRequest request = Whole("k");
  request.pin.size = 4;
  s3_.transport.Push(ObjectAnswer("12345"));
  EXPECT_EQ(Refusal(request).code(), ErrorCode::kObjectChanged);
  request = Range("k", 0, 2);
  request.pin.size = 4;
  s3_.transport.Push(Part("12", "bytes 0-1/5"));
  EXPECT_EQ(Refusal(request).code(), ErrorCode::kObjectChanged);
  EXPECT_EQ(sink_->begins(), 0);
}

TEST_F(S3GetTest, ARangeBeyondTheEndIsRefusedEvenWhenTheStoreCutsIt) {
  s3_.transport.Push(Part("89", "bytes 8-9/10"));
  const Error cut = Refusal(Range("k", 8, 5));
  EXPECT_EQ(cut.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(cut.what(), HasSubstr("s3://bucket/k"));
  s3_.transport.Push(ErrorAnswer(416, "InvalidRange"));
  EXPECT_EQ(Refusal(Range("k", 20, 5)).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(Refusal(Range("k", 1, UINT64_MAX)).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(requests(), 2u);
}

TEST_F(S3GetTest, AnEmptyRangeIsAnsweredFromAHead) {
  GetRequest request = Range("k", 5, 0);
  request.pin.etag = "\"e\"";
  s3_.transport.Push(ObjectAnswer("12345"));
  const auto object = Get(request);
  ASSERT_TRUE(object) << object.error().what();
  EXPECT_EQ(object->size, 5u);
  EXPECT_EQ(sink_->begins(), 1);
  EXPECT_EQ(sink_->begun_size(), 0u);
  EXPECT_EQ(s3_.transport.requests()[0].method, "HEAD");
  EXPECT_EQ(Header(0, "If-Match"), "\"e\"");
  s3_.transport.Push(ObjectAnswer("12345"));
  EXPECT_EQ(Refusal(Range("k", 6, 0)).code(), ErrorCode::kInvalidArgument);
  s3_.transport.Push(AnswerWith(404));
  EXPECT_EQ(Refusal(Range("k", 0, 0)).code(), ErrorCode::kNotFound);
}

TEST_F(S3GetTest, TheEndOfAnObjectIsAnEmptyRange) {
  s3_.transport.Push(ErrorAnswer(416, "InvalidRange"));
  s3_.transport.Push(ObjectAnswer("12345"));
  ASSERT_TRUE(Get(Range("k", 5, {})));
  EXPECT_EQ(sink_->bytes().size(), 0u);
  s3_.transport.Push(ErrorAnswer(416, "InvalidRange"));
  s3_.transport.Push(ObjectAnswer("12345"));
  EXPECT_EQ(Refusal(Range("k", 6, {})).code(), ErrorCode::kInvalidArgument);
  s3_.transport.Push(ErrorAnswer(416, "InvalidRange"));
  s3_.transport.Push(ObjectAnswer("12345"));
  EXPECT_THAT(Refusal(Range("k", 4, {})).message(), HasSubstr("does not serve the end"));
}

TEST_F(S3GetTest, AStoreThatIgnoresRangesIsNamed) {
  s3_.transport.Push(ObjectAnswer("0123456789"));
  const Error error = Refusal(Range("k", 2, 3));
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.message(), HasSubstr("ignores Range"));
  EXPECT_EQ(sink_->begins(), 0);
  EXPECT_EQ(requests(), 1u);
  // The range that is the whole object loses nothing.
  s3_.transport.Push(ObjectAnswer("012"));
  EXPECT_TRUE(Get(Range("k", 0, 3)));
}

TEST_F(S3GetTest, AWrongRangeIsNeverTaken) {
  for (const char* wrong : {"bytes 3-5/9", "bytes 2-5/9", "bytes 2-3/9"}) {
    s3_.transport.Push(Part("abc", wrong));
    s3_.transport.Push(Part("llo", "bytes 2-4/9"));
    ASSERT_TRUE(Get(Range("k", 2, 3))) << wrong;
    EXPECT_EQ(Body(), "llo");
    EXPECT_EQ(sink_->begins(), 1);
  }
  s3_.transport.Push(Part("llo", "bytes 2-4/*"));
  EXPECT_EQ(Refusal(Range("k", 2, 3)).code(), ErrorCode::kUnavailable);
  s3_.transport.Push(AnswerWith(206, "llo"));
  EXPECT_THAT(Refusal(Range("k", 2, 3)).message(), HasSubstr("Content-Range"));
  s3_.transport.Push(Part("llo", "bytes 2-4/9"));
  EXPECT_EQ(Refusal(Whole("k")).code(), ErrorCode::kUnavailable);
  s3_.transport.Push(AnswerWith(204));
  EXPECT_THAT(Refusal(Whole("k")).message(), HasSubstr("HTTP 204"));
}

TEST_F(S3GetTest, TooFewAndTooManyBytesAreRetried) {
  ScriptedAnswer shorter = Part("ll", "bytes 2-4/9");
  shorter.head.content_length.reset();
  ScriptedAnswer longer = Part("llo and more", "bytes 2-4/9");
  longer.head.content_length.reset();
  ScriptedAnswer announced = Part("llo and more", "bytes 2-4/9");
  for (const ScriptedAnswer& answer : {shorter, longer, announced}) {
    s3_.transport.Push(answer);
    s3_.transport.Push(Part("llo", "bytes 2-4/9"));
    ASSERT_TRUE(Get(Range("k", 2, 3)));
    EXPECT_EQ(Body(), "llo");
  }
  EXPECT_EQ(requests(), 6u);
}

TEST_F(S3GetTest, TooManyBytesAreSaid) {
  s3_.options.max_attempts = 1;
  store_ = s3_.Store();
  ScriptedAnswer longer = Part("llo and more", "bytes 2-4/9");
  longer.head.content_length.reset();
  s3_.transport.Push(longer);
  EXPECT_THAT(Refusal(Range("k", 2, 3)).message(), HasSubstr("more than the 3 bytes of the range"));
  s3_.transport.Push(Part("llo and more", "bytes 2-4/9"));
  EXPECT_THAT(Refusal(Range("k", 2, 3)).message(), HasSubstr("announced 12 bytes for a range of 3"));
  EXPECT_EQ(sink_->begins(), 0) << "nothing is given to a caller of what is announced wrongly";
}

TEST_F(S3GetTest, ABodyThatBreaksBeginsAgain) {
  ScriptedAnswer broken = ObjectAnswer("hel");
  broken.head.content_length = 5;
  broken.failure = Error(ErrorCode::kConnection, "reset");
  s3_.transport.Push(broken);
  s3_.transport.Push(ObjectAnswer("hello"));
  ASSERT_TRUE(Get(Whole("k")));
  EXPECT_EQ(Body(), "hello");
  EXPECT_EQ(sink_->begins(), 2);
  EXPECT_EQ(s3_.counters.bytes_read.value(), 8u);
}

// Of "hello".
constexpr const char* kSum = "M3eFcAZSQlc=";

ScriptedAnswer WithSum(ScriptedAnswer answer, std::string sum, std::string type = "FULL_OBJECT") {
  answer.head.headers.Add("x-amz-checksum-crc64nvme", std::move(sum));
  answer.head.headers.Add("x-amz-checksum-type", std::move(type));
  return answer;
}

class S3GetSumTest : public S3GetTest {
 protected:
  S3GetSumTest() {
    s3_.environment.variables = testing::Variables({{"AWS_RESPONSE_CHECKSUM_VALIDATION", "when_supported"}});
    store_ = s3_.Store();
  }
};

TEST_F(S3GetSumTest, TheObjectsSumIsAskedForAndCompared) {
  s3_.transport.Push(WithSum(ObjectAnswer("hello"), kSum));
  ASSERT_TRUE(Get(Whole("k")));
  EXPECT_EQ(Header(0, "x-amz-checksum-mode"), "ENABLED");
  s3_.transport.Push(WithSum(ObjectAnswer("hellO"), kSum));
  s3_.transport.Push(WithSum(ObjectAnswer("hello"), kSum));
  ASSERT_TRUE(Get(Whole("k")));
  EXPECT_EQ(Body(), "hello");
  EXPECT_EQ(requests(), 3u);
}

TEST_F(S3GetSumTest, BytesThatNeverMatchAreAnErrorAfterThreeReads) {
  for (int i = 0; i < 3; ++i) s3_.transport.Push(WithSum(ObjectAnswer("hellO"), kSum));
  const Error error = Refusal(Whole("k"));
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("s3://bucket/k"), HasSubstr("3 times"), HasSubstr(kSum)));
  EXPECT_EQ(requests(), 3u);
}

TEST_F(S3GetSumTest, ARangeIsComparedOnlyWhenItIsTheWholeObject) {
  s3_.transport.Push(WithSum(Part("llo", "bytes 2-4/5"), kSum));
  EXPECT_TRUE(Get(Range("k", 2, 3)));
  s3_.transport.Push(WithSum(Part("hello", "bytes 0-4/5"), kSum));
  EXPECT_TRUE(Get(Range("k", 0, 5)));
  for (int i = 0; i < 3; ++i) s3_.transport.Push(WithSum(Part("hellO", "bytes 0-4/5"), kSum));
  EXPECT_EQ(Refusal(Range("k", 0, 5)).code(), ErrorCode::kCorruptData);
}

TEST_F(S3GetSumTest, ASumOfPartsIsNotOneOfBytes) {
  s3_.transport.Push(WithSum(ObjectAnswer("hello"), "AAAAAAAAAAA=-2", "COMPOSITE"));
  EXPECT_TRUE(Get(Whole("k")));
}

TEST_F(S3GetTest, OtherStoresAreNotAskedForSums) {
  s3_.transport.Push(ObjectAnswer("hello"));
  ASSERT_TRUE(Get(Whole("k")));
  EXPECT_EQ(Header(0, "x-amz-checksum-mode"), "(none)");
}

TEST_F(S3GetTest, AProxysPageIsNoObject) {
  s3_.transport.Push(AnswerWith(200, "<html>log in</html>", {{"Content-Type", "text/html; charset=utf-8"}}));
  const Error error = Refusal(Whole("k"));
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("proxy"));
  EXPECT_EQ(sink_->begins(), 0);
  // A page that is an object.
  s3_.transport.Push(AnswerWith(200, "<html>", {{"Content-Type", "text/html"}, {"ETag", "\"e\""}}));
  EXPECT_TRUE(Get(Whole("k")));
}

TEST_F(S3GetTest, NoAnswerAtAllIsTriedAgain) {
  s3_.transport.Push(FailWith(Error(ErrorCode::kConnection, "the server closed the connection")));
  s3_.transport.Push(
      FailWith(Error(ErrorCode::kCorruptData, "the connection ended before the final response")));
  s3_.transport.Push(ObjectAnswer("hello"));
  ASSERT_TRUE(Get(Whole("k")));
  EXPECT_EQ(Body(), "hello");
}

TEST_F(S3GetTest, AnObjectThatChangesBetweenAttemptsIsNeverMixed) {
  for (const ScriptedAnswer& second : {ObjectAnswer("HELLO", "\"f\""), ObjectAnswer("hello!", "\"e\"")}) {
    ScriptedAnswer broken = ObjectAnswer("hel");
    broken.head.content_length = 5;
    broken.failure = Error(ErrorCode::kConnection, "reset");
    s3_.transport.Push(broken);
    s3_.transport.Push(second);
    EXPECT_EQ(Refusal(Whole("k")).code(), ErrorCode::kObjectChanged);
    EXPECT_EQ(sink_->begins(), 1);
  }
}

TEST_F(S3GetTest, WithoutALengthThereIsNoWholeObject) {
  ScriptedAnswer chunked = ObjectAnswer("hello");
  chunked.head.content_length.reset();
  s3_.transport.Push(chunked);
  const Error error = Refusal(Whole("k"));
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("Content-Length"));
  EXPECT_EQ(requests(), 1u);
}

TEST_F(S3GetTest, TheSinksRefusalEndsTheGetWhateverItsCode) {
  refusal_ = Error(ErrorCode::kCorruptData, "no room");
  s3_.transport.Push(ObjectAnswer("hello"));
  const Error error = Refusal(Whole("k"));
  EXPECT_THAT(error.what(), AllOf(HasSubstr("no room"), HasSubstr("s3://bucket/k")));
  EXPECT_EQ(requests(), 1u);
}

TEST_F(S3GetTest, KeysThatS3CannotHoldAreRefusedUnsent) {
  for (const std::string& key : {std::string(), std::string(1025, 'x')}) {
    EXPECT_EQ(Refusal(Whole(key)).code(), ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(requests(), 0u);
}

TEST_F(S3GetTest, ThePinnedVersionIsAskedForAndChecked) {
  const auto answer = [](const std::string& version) {
    return AnswerWith(200, "x", {{"ETag", "\"e\""}, {"x-amz-version-id", version}});
  };
  GetRequest request = Whole("k");
  request.pin.version = "v/1";
  s3_.transport.Push(answer("v/1"));
  const auto got = Get(request);
  ASSERT_TRUE(got) << got.error().what();
  EXPECT_EQ(got->version, "v/1");
  EXPECT_EQ(s3_.transport.requests()[0].url, "http://store.test:9000/bucket/k?versionId=v%2F1");
  s3_.transport.Push(answer("v2"));
  EXPECT_EQ(Get(request).error().code(), ErrorCode::kObjectChanged);
  s3_.transport.Push(ObjectAnswer("x"));  // of a store that knows no versions
  EXPECT_EQ(Get(request).error().code(), ErrorCode::kUnsupported);
  request.length = 0;
  s3_.transport.Push(answer("v/1"));
  ASSERT_TRUE(Get(request));
  EXPECT_EQ(s3_.transport.requests().back().method, "HEAD");
  EXPECT_EQ(s3_.transport.requests().back().url, "http://store.test:9000/bucket/k?versionId=v%2F1");
}

}  // namespace
}  // namespace bucketline
