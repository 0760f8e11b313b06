// A bucket that is in another region, a clock that is off, and where requests go then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/s3/s3_testing.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::ErrorXml;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ObjectAnswer;
using testing::ScriptedS3;

constexpr const char* kEast = "https://bucket.s3.us-east-1.amazonaws.com";
constexpr const char* kWest = "https://bucket.s3.eu-west-1.amazonaws.com";

class RedirectTest : public ::testing::Test {
 protected:
  RedirectTest() { s3_.options.endpoint_url.clear(); }

  ObjectStore& Store() {
    if (!store_) store_ = s3_.Store();
    return *store_;
  }
  Result<Bytes> Get() {
    return Catch([&] { return GetBytes(Store(), "k"); });
  }
  HttpRequest Sent(size_t i) { return s3_.transport.requests().at(i); }
  size_t Count() { return s3_.transport.requests().size(); }
  std::string RegionSignedFor(size_t i) {
    const std::string header(Sent(i).headers.Find("Authorization").value_or(""));
    const size_t end = header.find("/s3/aws4_request");
    const size_t begin = header.rfind('/', end - 1) + 1;
    return header.substr(begin, end - begin);
  }

  ScriptedS3 s3_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(RedirectTest, EveryFormOfARedirectIsFollowedOnceSignedAgainAndRemembered) {
  const std::string in_document = "<Region>eu-west-1</Region>";
  const ScriptedAnswer forms[] = {
      AnswerWith(301, ErrorXml("PermanentRedirect"), {{"x-amz-bucket-region", "eu-west-1"}}),
      AnswerWith(301, "", {{"x-amz-bucket-region", "eu-west-1"}}),
      AnswerWith(307, ErrorXml("TemporaryRedirect"), {{"x-amz-bucket-region", "eu-west-1"}}),
      AnswerWith(400, ErrorXml("AuthorizationHeaderMalformed", in_document)),
      AnswerWith(400, ErrorXml("IllegalLocationConstraintException"),
                 {{"x-amz-bucket-region", "eu-west-1"}})};
  for (const ScriptedAnswer& form : forms) {
    store_.reset();
    const size_t before = Count();
    s3_.transport.Push(form);
    s3_.transport.Push(ObjectAnswer("body"));
    s3_.transport.Push(ObjectAnswer("body"));
    const uint64_t tokens = s3_.budget.tokens();
    ASSERT_TRUE(Get()) << form.body;
    ASSERT_TRUE(Get());
    ASSERT_EQ(Count(), before + 3);
    EXPECT_THAT(Sent(before).url, HasSubstr(kEast));
    for (const size_t i : {before + 1, before + 2}) {
      EXPECT_THAT(Sent(i).url, HasSubstr(kWest));
      EXPECT_EQ(RegionSignedFor(i), "eu-west-1");
    }
    EXPECT_EQ(s3_.budget.tokens(), tokens);
  }
}

TEST_F(RedirectTest, AHeadIsFollowedByItsHeaderAlone) {
  s3_.transport.Push(AnswerWith(400, "", {{"x-amz-bucket-region", "eu-west-1"}}));
  s3_.transport.Push(ObjectAnswer("body"));
  EXPECT_EQ(HeadObject(Store(), "k").size, 4u);
  EXPECT_EQ(RegionSignedFor(1), "eu-west-1");
}

TEST_F(RedirectTest, WithoutARegionTheBucketIsAskedWhateverItAnswers) {
  for (const int status : {200, 403, 301, 400}) {
    store_.reset();
    const size_t before = Count();
    s3_.transport.Push(AnswerWith(301, ErrorXml("PermanentRedirect")));
    s3_.transport.Push(AnswerWith(status, "", {{"x-amz-bucket-region", "eu-west-1"}}));
    if (status == 301 || status == 400)
      s3_.transport.Push(AnswerWith(200, ""));  // the HEAD follows for itself
    s3_.transport.Push(ObjectAnswer("body"));
    ASSERT_TRUE(Get()) << status;
    EXPECT_EQ(Sent(before + 1).method, "HEAD");
    EXPECT_EQ(Sent(before + 1).url, std::string(kEast) + "/");
    EXPECT_EQ(RegionSignedFor(Count() - 1), "eu-west-1");
  }
}

TEST_F(RedirectTest, AProxysRedirectIsNotS3s) {
  s3_.transport.Push(
      AnswerWith(301, "<html>Moved</html>", {{"Location", "https://elsewhere.test/x?secret=1"}}));
  const Error error = Get().error();
  EXPECT_EQ(error.uri(), "s3://bucket/k");
  EXPECT_THAT(error.message(), AllOf(HasSubstr("proxy"), HasSubstr("points to https://elsewhere.test"),
                                     Not(HasSubstr("secret"))));
}

TEST_F(RedirectTest, ARedirectWithoutARegionNamesWhereItPoints) {
  s3_.transport.SetHandler([](const HttpRequest&) {
    return AnswerWith(301, "", {{"Location", "https://elsewhere.test/x?secret=1"}});
  });
  const Error error = Get().error();
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("set the region, or the endpoint URL"),
                                     HasSubstr("https://elsewhere.test"), Not(HasSubstr("secret"))));
}

TEST_F(RedirectTest, RegionsThatSendEachOtherEndAfterOne) {
  s3_.transport.SetHandler([&](const HttpRequest& request) {
    const bool east = request.url.starts_with(kEast);
    return AnswerWith(301, ErrorXml("PermanentRedirect"),
                      {{"x-amz-bucket-region", east ? "eu-west-1" : "us-east-1"}});
  });
  const auto result = Get();
  ASSERT_FALSE(result);
  EXPECT_EQ(Count(), 2u);
  EXPECT_THAT(result.error().message(), AllOf(HasSubstr("us-east-1"), HasSubstr("eu-west-1")));
}

TEST_F(RedirectTest, ARegionThatIsNoneIsNotFollowed) {
  s3_.transport.SetHandler([](const HttpRequest&) {
    return AnswerWith(301, ErrorXml("PermanentRedirect"), {{"x-amz-bucket-region", "x.evil.test/"}});
  });
  EXPECT_FALSE(Get());
  for (size_t i = 0; i < Count(); ++i) EXPECT_THAT(Sent(i).url, HasSubstr(kEast));
}

TEST_F(RedirectTest, AnEndpointOfTheUsersIsKeptAndSignedForTheRegionThatItNames) {
  s3_.options.endpoint_url = "http://store.test:9000";
  s3_.transport.Push(AnswerWith(400, ErrorXml("AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>")));
  s3_.transport.Push(ObjectAnswer("body"));
  ASSERT_TRUE(Get());
  EXPECT_EQ(Sent(1).url, "http://store.test:9000/bucket/k");
  EXPECT_EQ(RegionSignedFor(1), "eu-west-3");
}

TEST_F(RedirectTest, ManyRequestsUnderWayAllArrive) {
  s3_.transport.SetHandler([&](const HttpRequest& request) {
    if (request.url.starts_with(kEast))
      return AnswerWith(301, ErrorXml("PermanentRedirect"), {{"x-amz-bucket-region", "eu-west-1"}});
    return ObjectAnswer("x");
  });
  std::vector<std::jthread> threads;
  std::atomic<int> arrived = 0;
  Store();
  for (int i = 0; i < 16; ++i) threads.emplace_back([&] { arrived += Get().ok() ? 1 : 0; });
  threads.clear();
  EXPECT_EQ(arrived, 16);
}

TEST_F(RedirectTest, ASignatureMadeForAnotherTimeIsMadeAgain) {
  for (const char* code : {"SignatureDoesNotMatch", "AccessDenied", "RequestExpired"}) {
    store_.reset();
    const size_t before = Count();
    s3_.transport.Push(AnswerWith(403, ErrorXml(code), {{"Date", "Fri, 24 May 2013 00:05:00 GMT"}}));
    s3_.transport.Push(ObjectAnswer("x"));
    ASSERT_TRUE(Get()) << code;
    EXPECT_EQ(Sent(before + 1).headers.Find("x-amz-date"), "20130524T000500Z");
  }
}

TEST_F(RedirectTest, AClockThatIsRightOrCorrectedExcusesNothing) {
  s3_.transport.Push(AnswerWith(403, ErrorXml("AccessDenied"), {{"Date", "Fri, 24 May 2013 00:04:59 GMT"}}));
  EXPECT_EQ(Get().error().code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(Count(), 1u);
  s3_.transport.Push(
      AnswerWith(403, ErrorXml("RequestTimeTooSkewed"), {{"Date", "Fri, 24 May 2013 01:00:00 GMT"}}));
  s3_.transport.Push(AnswerWith(403, ErrorXml("AccessDenied"), {{"Date", "Fri, 24 May 2013 01:00:00 GMT"}}));
  EXPECT_EQ(Get().error().code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(Count(), 3u);
}

TEST_F(RedirectTest, AHeadThatSaysNothingButBadRequestRenewsCredentialsIfItCan) {
  s3_.transport.Push(AnswerWith(400, ""));
  EXPECT_FALSE(Catch([&] { HeadObject(Store(), "k"); }));  // explicit ones have no others
  EXPECT_EQ(Count(), 1u);
}

}  // namespace
}  // namespace bucketline
