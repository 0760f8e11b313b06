#include "bucketline/s3/s3_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/s3_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::ErrorXml;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TestContext;

S3Failure Of(int status, std::string_view body, std::vector<std::pair<std::string, std::string>> headers = {},
             const S3ErrorContext& context = TestContext()) {
  HttpResponseHead head;
  head.status = status;
  for (auto& [name, value] : headers) head.headers.Add(name, value);
  return FailureOfAnswer(context, head, body);
}

struct Row {
  int status;
  const char* s3_code;  // "": no document
  ErrorCode code;
  S3Fault fault;
  const char* advice;
};

class ErrorMapTest : public ::testing::TestWithParam<Row> {};

TEST_P(ErrorMapTest, SaysWhatItMeansWhetherToRepeatItAndWhatToDo) {
  const Row& row = GetParam();
  const std::string body = *row.s3_code == '\0' ? "" : ErrorXml(row.s3_code, "<RequestId>R1</RequestId>");
  const S3Failure failure = Of(row.status, body);
  EXPECT_EQ(ErrorCodeName(failure.error.code()), ErrorCodeName(row.code));
  EXPECT_EQ(failure.fault, row.fault);
  EXPECT_EQ(failure.s3_code, row.s3_code);
  EXPECT_EQ(failure.error.http_status(), row.status);
  EXPECT_EQ(failure.error.uri(), "s3://bucket/key");
  EXPECT_THAT(failure.error.message(), AllOf(HasSubstr(row.advice), HasSubstr(row.s3_code)));
  if (!body.empty()) {
    EXPECT_THAT(failure.error.message(), HasSubstr("what it says"));
    EXPECT_EQ(failure.error.request_id(), "R1");
  }
}

using enum ErrorCode;
constexpr auto kFinal = S3Fault::kFinal;
constexpr auto kRegion = S3Fault::kRegion;
constexpr auto kCredentials = S3Fault::kCredentials;
constexpr auto kAgain = S3Fault::kTransient;
constexpr auto kSlower = S3Fault::kThrottled;

INSTANTIATE_TEST_SUITE_P(
    Codes, ErrorMapTest,
    ::testing::Values(
        Row{404, "NoSuchKey", kNotFound, kFinal, "no such object"},
        Row{404, "NoSuchVersion", kNotFound, kFinal, "no such object"},
        Row{404, "NoSuchBucket", kNotFound, kFinal, "no such bucket 'bucket' at http://store.test"},
        Row{404, "NoSuchUpload", kNotFound, kFinal, "lifecycle"},
        Row{403, "AccessDenied", kPermissionDenied, kFinal, "s3:ListBucket"},
        Row{403, "AllAccessDisabled", kPermissionDenied, kFinal, "access denied"},
        Row{403, "AccountProblem", kPermissionDenied, kFinal, "access denied"},
        Row{403, "NotSignedUp", kPermissionDenied, kFinal, "access denied"},
        Row{400, "KMS.DisabledException", kPermissionDenied, kFinal, "access denied"},
        Row{403, "SignatureDoesNotMatch", kUnauthenticated, kFinal, "secret access key"},
        Row{403, "InvalidAccessKeyId", kUnauthenticated, kCredentials, "access key id"},
        Row{400, "ExpiredToken", kUnauthenticated, kCredentials, "new temporary credentials"},
        Row{400, "TokenRefreshRequired", kUnauthenticated, kCredentials, "new temporary credentials"},
        Row{400, "InvalidToken", kUnauthenticated, kCredentials, "new temporary credentials"},
        Row{400, "AuthorizationHeaderMalformed", kInvalidArgument, kRegion, "set the region"},
        Row{301, "PermanentRedirect", kInvalidArgument, kRegion, "set the region"},
        Row{307, "TemporaryRedirect", kInvalidArgument, kRegion, "set the region"},
        Row{400, "IllegalLocationConstraintException", kInvalidArgument, kRegion, "set the region"},
        Row{403, "RequestTimeTooSkewed", kUnauthenticated, S3Fault::kClockSkew, "clock"},
        Row{412, "PreconditionFailed", kObjectChanged, kFinal, "list again"},
        Row{409, "ConditionalRequestConflict", kUnavailable, kAgain, ""},
        Row{409, "OperationAborted", kUnavailable, kAgain, ""},
        Row{416, "InvalidRange", kInvalidArgument, kFinal, ""},
        Row{403, "InvalidObjectState", kUnsupported, kFinal, "archived"},
        Row{501, "NotImplemented", kUnsupported, kFinal, ""},
        Row{405, "MethodNotAllowed", kUnsupported, kFinal, ""}, Row{503, "SlowDown", kThrottled, kSlower, ""},
        Row{400, "Throttling", kThrottled, kSlower, ""},
        Row{400, "ThrottlingException", kThrottled, kSlower, ""},
        Row{400, "ThrottledException", kThrottled, kSlower, ""},
        Row{400, "RequestThrottled", kThrottled, kSlower, ""},
        Row{400, "RequestThrottledException", kThrottled, kSlower, ""},
        Row{429, "TooManyRequests", kThrottled, kSlower, ""},
        Row{400, "TooManyRequestsException", kThrottled, kSlower, ""},
        Row{503, "RequestLimitExceeded", kThrottled, kSlower, ""},
        Row{503, "BandwidthLimitExceeded", kThrottled, kSlower, ""},
        Row{400, "LimitExceededException", kThrottled, kSlower, ""},
        Row{400, "PriorRequestNotComplete", kThrottled, kSlower, ""},
        Row{503, "EC2ThrottledException", kThrottled, kSlower, ""},
        Row{503, "ServiceUnavailable", kUnavailable, kAgain, ""},
        Row{500, "InternalError", kUnavailable, kAgain, ""},
        Row{500, "InternalFailure", kUnavailable, kAgain, ""},
        Row{400, "RequestTimeout", kTimeout, kAgain, ""}, Row{400, "BadDigest", kCorruptData, kAgain, ""},
        Row{400, "IncompleteBody", kCorruptData, kAgain, ""},
        Row{400, "XAmzContentSHA256Mismatch", kCorruptData, kAgain, ""}),
    [](const auto& row) { return std::to_string(row.index); });

INSTANTIATE_TEST_SUITE_P(
    StatusesAndOtherCodes, ErrorMapTest,
    ::testing::Values(
        Row{400, "XAmzContentChecksumMismatch", kCorruptData, kAgain, ""},
        Row{409, "ObjectParentIsFile", kInvalidArgument, kFinal, "refused"},
        Row{409, "ExistingObjectIsDirectory", kInvalidArgument, kFinal, "refused"},
        Row{400, "XMinioParentIsObject", kInvalidArgument, kFinal, "refused"},
        Row{409, "XMinioObjectExistsAsDirectory", kInvalidArgument, kFinal, "refused"},
        Row{403, "QuotaExceeded", kResourceExhausted, kFinal, ""},
        Row{507, "XMinioStorageFull", kResourceExhausted, kFinal, ""},
        Row{400, "SomethingNew", kInvalidArgument, kFinal, "refused"},
        Row{500, "SomethingNew", kUnavailable, kAgain, "refused"},
        Row{403, "SomethingNew", kPermissionDenied, kFinal, ""},
        Row{200, "InternalError", kUnavailable, kAgain, ""},
        Row{200, "SomethingNew", kUnavailable, kAgain, ""},
        Row{200, "AccessDenied", kPermissionDenied, kFinal, ""},
        Row{301, "", kInvalidArgument, kRegion, "set the region"},
        Row{302, "", kInvalidArgument, kRegion, "set the region"},
        Row{307, "", kInvalidArgument, kRegion, "set the region"},
        Row{308, "", kInvalidArgument, kRegion, "set the region"},
        Row{400, "", kInvalidArgument, kCredentials, "HTTP 400"},
        Row{401, "", kUnauthenticated, kFinal, "HTTP 401"},
        Row{403, "", kPermissionDenied, kFinal, "access denied"},
        Row{404, "", kNotFound, kFinal, "no such object"}, Row{405, "", kUnsupported, kFinal, ""},
        Row{408, "", kTimeout, kAgain, ""}, Row{409, "", kUnavailable, kFinal, ""},
        Row{412, "", kObjectChanged, kFinal, "list again"}, Row{416, "", kInvalidArgument, kFinal, "beyond"},
        Row{429, "", kThrottled, kSlower, "fewer requests"}, Row{500, "", kUnavailable, kAgain, ""},
        Row{501, "", kUnsupported, kFinal, ""}, Row{502, "", kUnavailable, kAgain, ""},
        Row{503, "", kUnavailable, kAgain, "not available"}, Row{504, "", kUnavailable, kAgain, ""},
        Row{507, "", kResourceExhausted, kFinal, ""}, Row{599, "", kUnavailable, kFinal, ""}),
    [](const auto& row) { return std::to_string(row.index); });

TEST(S3ErrorTest, NamesTheRightRegionFromHeaderOrDocument) {
  const std::string right =
      "the bucket 'bucket' is in region 'eu-west-1', but 'us-east-1' was asked for: set the region to "
      "eu-west-1";
  EXPECT_THAT(Of(301, "", {{"x-amz-bucket-region", "eu-west-1"}}).error.message(), HasSubstr(right));
  EXPECT_THAT(Of(400, ErrorXml("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>")).error.message(),
              HasSubstr(right));
  // A HEAD has no document.
  EXPECT_THAT(Of(400, "", {{"x-amz-bucket-region", "eu-west-1"}}).error.message(), HasSubstr(right));
  EXPECT_THAT(Of(400, "", {{"x-amz-bucket-region", "us-east-1"}}).error.message(), Not(HasSubstr("region")));
}

TEST(S3ErrorTest, TheClockAdviceSaysHowFarAndWhichWay) {
  EXPECT_THAT(
      Of(403, ErrorXml("RequestTimeTooSkewed"), {{"Date", "Fri, 24 May 2013 00:20:00 GMT"}}).error.message(),
      HasSubstr("clock is 1200 s behind"));
  const S3Failure ahead =
      Of(403, ErrorXml("RequestTimeTooSkewed", "<ServerTime>2013-05-23T23:40:00Z</ServerTime>"));
  EXPECT_THAT(ahead.error.message(), HasSubstr("clock is 1200 s ahead"));
  EXPECT_EQ(ahead.server_time, testing::kTestTime - std::chrono::minutes(20));
  EXPECT_EQ(Of(403, ErrorXml("RequestTimeTooSkewed")).server_time, std::nullopt);
}

TEST(S3ErrorTest, AccessAdviceFitsWhoAsked) {
  S3ErrorContext context = TestContext();
  EXPECT_THAT(Of(403, ErrorXml("AccessDenied"), {}, context).error.message(), HasSubstr("requester_pays"));
  context.requester_pays = true;
  EXPECT_THAT(Of(403, ErrorXml("AccessDenied"), {}, context).error.message(),
              Not(HasSubstr("requester_pays")));
  context.anonymous = true;
  EXPECT_THAT(Of(403, ErrorXml("AccessDenied"), {}, context).error.message(), HasSubstr("anonymously"));
}

TEST(S3ErrorTest, AStoreThatRejectsIfMatchNamesThePinThatWorks) {
  S3ErrorContext context = TestContext();
  context.if_match = true;
  for (const S3Failure& failure :
       {Of(501, "", {}, context), Of(400, ErrorXml("NotImplemented"), {}, context)}) {
    EXPECT_EQ(failure.error.code(), ErrorCode::kUnsupported);
    EXPECT_THAT(failure.error.message(), HasSubstr("pin=\"size\""));
  }
  EXPECT_THAT(Of(501, "").error.message(), Not(HasSubstr("pin")));
}

TEST(S3ErrorTest, AFailedConditionalWriteMeansThatTheObjectExists) {
  S3ErrorContext context = TestContext();
  context.if_absent = true;
  EXPECT_EQ(Of(412, ErrorXml("PreconditionFailed"), {}, context).error.code(), ErrorCode::kAlreadyExists);
}

TEST(S3ErrorTest, AConflictOfACompleteIsFinal) {
  S3ErrorContext context = TestContext();
  context.completes_upload = true;
  const S3Failure failure = Of(409, ErrorXml("ConditionalRequestConflict"), {}, context);
  EXPECT_EQ(failure.fault, S3Fault::kFinal);
  EXPECT_THAT(failure.error.message(), HasSubstr("write the object again"));
}

TEST(S3ErrorTest, PagesOfProxiesAreRecognised) {
  const S3Failure failure =
      Of(404, "<!DOCTYPE html><html><body>Not found</body></html>", {{"Content-Type", "text/html"}});
  EXPECT_EQ(failure.error.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(failure.fault, S3Fault::kFinal);
  EXPECT_THAT(failure.error.message(),
              AllOf(HasSubstr("really an S3 endpoint"), HasSubstr("text/html"), HasSubstr("store.test")));
  EXPECT_EQ(Of(502, "<html>bad gateway</html>").fault, S3Fault::kTransient);
  EXPECT_EQ(Of(403, "{\"no\":1}").fault, S3Fault::kFinal);
  EXPECT_EQ(Of(503, "try later").fault, S3Fault::kTransient);
  EXPECT_EQ(Of(429, "slow down").error.code(), ErrorCode::kThrottled);
}

TEST(S3ErrorTest, RequestIdIsTheHeadersOrTheDocuments) {
  EXPECT_EQ(Of(404, ErrorXml("NoSuchKey", "<RequestId>R1</RequestId>"), {{"x-amz-request-id", "R2"}})
                .error.request_id(),
            "R2");
}

TEST(S3ErrorTest, ReadsEveryFormOfRetryAfter) {
  using namespace std::chrono_literals;
  EXPECT_EQ(Of(503, "", {{"x-amz-retry-after", "250"}, {"Retry-After", "9"}}).retry_after, Duration(250ms));
  EXPECT_EQ(Of(503, "", {{"Retry-After", "9"}}).retry_after, Duration(9s));
  EXPECT_EQ(Of(503, "", {{"Retry-After", "99999999999999"}}).retry_after, Duration(24h * 1000));
  EXPECT_EQ(Of(503, "",
               {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"Retry-After", "Fri, 24 May 2013 00:00:07 GMT"}})
                .retry_after,
            Duration(7s));
  EXPECT_EQ(Of(503, "", {{"Retry-After", "Fri, 24 May 2013 00:00:07 GMT"}}).retry_after, std::nullopt);
  EXPECT_EQ(Of(503, "", {{"Retry-After", "soon"}}).retry_after, std::nullopt);
  EXPECT_EQ(Of(503, "").retry_after, std::nullopt);
}

TEST(S3ErrorTest, AHostileMessageStaysOneShortLine) {
  const std::string message =
      Of(400, "<Error><Code>Odd</Code><Message>a\nb" + std::string(5000, 'x') + "</Message></Error>")
          .error.message();
  EXPECT_LT(message.size(), 400u);
  EXPECT_THAT(message, Not(HasSubstr("\n")));
}

TEST(S3ErrorTest, TransportFailuresNameTheEndpoint) {
  const auto of = [](ErrorCode code) { return FailureOfTransport(TestContext(), Error(code, "why")); };
  const S3Failure refused = of(ErrorCode::kConnection);
  EXPECT_EQ(refused.fault, S3Fault::kTransient);
  EXPECT_THAT(refused.error.message(),
              AllOf(HasSubstr("http://store.test"), HasSubstr("why"), HasSubstr("is the endpoint right")));
  EXPECT_EQ(of(ErrorCode::kTimeout).fault, S3Fault::kTransient);
  EXPECT_THAT(of(ErrorCode::kTimeout).error.message(), HasSubstr("http://store.test"));
  EXPECT_EQ(of(ErrorCode::kCorruptData).fault, S3Fault::kTransient);
  for (const ErrorCode code : {ErrorCode::kCancelled, ErrorCode::kInternal, ErrorCode::kInvalidArgument}) {
    EXPECT_EQ(of(code).fault, S3Fault::kFinal);
    EXPECT_EQ(of(code).error.uri(), "s3://bucket/key");
  }
}

TEST(FailureOfCredentialsTest, WhatMayPassIsWorthAnotherTry) {
  const std::pair<ErrorCode, S3Fault> cases[] = {{ErrorCode::kConnection, S3Fault::kTransient},
                                                 {ErrorCode::kTimeout, S3Fault::kTransient},
                                                 {ErrorCode::kUnavailable, S3Fault::kTransient},
                                                 {ErrorCode::kThrottled, S3Fault::kThrottled},
                                                 {ErrorCode::kUnauthenticated, S3Fault::kFinal},
                                                 {ErrorCode::kCancelled, S3Fault::kFinal},
                                                 {ErrorCode::kIo, S3Fault::kFinal}};
  for (const auto& [code, fault] : cases) {
    S3ErrorContext context;
    context.uri = "s3://bucket/k";
    const S3Failure failure = FailureOfCredentials(context, Error(code, "why"));
    EXPECT_EQ(failure.fault, fault);
    EXPECT_EQ(failure.error.code(), code);
    EXPECT_STREQ(failure.error.what(), "s3://bucket/k: why");
  }
}

}  // namespace
}  // namespace bucketline
