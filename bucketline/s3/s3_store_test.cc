#include "bucketline/s3/s3_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/s3_testing.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::ErrorAnswer;
using ::testing::HasSubstr;
using testing::ObjectAnswer;
using testing::ScriptedS3;

TEST(S3StoreTest, HeadTellsWhatTheHeadersSay) {
  ScriptedS3 s3;
  s3.transport.Push(ObjectAnswer("12345"));
  const ObjectInfo object = HeadObject(*s3.Store(), "k");
  EXPECT_EQ(s3.transport.requests()[0].method, "HEAD");
  EXPECT_EQ(object.key, "k");
  EXPECT_EQ(object.size, 5u);
  EXPECT_EQ(object.etag, "\"e\"");
  EXPECT_EQ(object.last_modified, testing::kTestTime);
}

TEST(S3StoreTest, HeadErrorsComeFromTheStatusAlone) {
  ScriptedS3 s3;
  s3.transport.Push(AnswerWith(404));
  s3.transport.Push(AnswerWith(403));
  ScriptedAnswer unknown = AnswerWith(200);
  unknown.head.content_length.reset();
  s3.transport.Push(unknown);
  const auto store = s3.Store();
  for (const ErrorCode code : {ErrorCode::kNotFound, ErrorCode::kPermissionDenied, ErrorCode::kUnavailable}) {
    const auto result = Catch([&] { return HeadObject(*store, "k"); });
    ASSERT_FALSE(result);
    EXPECT_EQ(ErrorCodeName(result.error().code()), ErrorCodeName(code));
  }
}

TEST(S3StoreTest, DeletingWhatIsGoneIsASuccess) {
  ScriptedS3 s3;
  for (const ScriptedAnswer& answer :
       {AnswerWith(204), AnswerWith(200), AnswerWith(404), ErrorAnswer(404, "NoSuchKey")}) {
    s3.transport.Push(answer);
    EXPECT_NO_THROW(DeleteObject(*s3.Store(), "k"));
  }
  EXPECT_EQ(s3.transport.requests()[0].method, "DELETE");
}

TEST(S3StoreTest, DeletingFailsForOtherReasons) {
  ScriptedS3 s3;
  for (const char* code : {"NoSuchBucket", "AccessDenied"}) {
    s3.transport.Push(ErrorAnswer(404, code));
    EXPECT_THROW(DeleteObject(*s3.Store(), "k"), Error) << code;
  }
  EXPECT_THROW(DeleteObject(*s3.Store(), ""), Error);
}

TEST(S3StoreTest, UrisNameBucketAndKey) {
  ScriptedS3 s3;
  EXPECT_EQ(s3.Store()->UriOf("a/b c"), "s3://bucket/a/b c");
}

TEST(S3StoreTest, RequesterPaysIsSignedInto) {
  S3Options options;
  options.requester_pays = true;
  ScriptedS3 s3(options);
  s3.transport.Push(ObjectAnswer(""));
  HeadObject(*s3.Store(), "k");
  const HttpRequest request = s3.transport.requests()[0];
  EXPECT_EQ(request.headers.Find("x-amz-request-payer"), "requester");
  EXPECT_THAT(std::string(*request.headers.Find("Authorization")), HasSubstr("x-amz-request-payer"));
}

TEST(S3StoreTest, MakingAStoreReportsWhatIsWrong) {
  ScriptedS3 s3;
  const auto code = [&](const std::string& bucket, const S3Options& options) {
    const auto result = Catch([&] { MakeS3Store(bucket, options, s3.environment); });
    return result ? ErrorCode::kInternal : result.error().code();
  };
  EXPECT_EQ(code("bad/bucket", s3.options), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("bucket", {}), ErrorCode::kUnauthenticated);
  S3Options options = s3.options;
  options.endpoint_url = "nonsense";
  EXPECT_EQ(code("bucket", options), ErrorCode::kInvalidArgument);
}

TEST(S3StoreTest, AWriterThatOutlivesItsStoreFailsInsteadOfHanging) {
  ScriptedS3 s3;
  auto store = s3.Store();
  const auto writer = store->OpenWriter("k");
  store.reset();
  const auto result = Catch([&] { writer->Commit(); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kCancelled);
}

TEST(S3StoreTest, ACallMayBeginAnotherOneInItsCompletion) {
  ScriptedS3 s3;
  s3.transport.SetHandler([](const HttpRequest&) { return ObjectAnswer("x"); });
  const auto store = s3.Store();
  testing::Completion<ObjectInfo> second;
  store->Head("a", [&](Result<ObjectInfo>) { store->Head("b", second.Done()); });
  EXPECT_TRUE(second.Wait());
}

}  // namespace
}  // namespace bucketline
