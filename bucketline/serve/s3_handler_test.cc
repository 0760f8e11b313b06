#include "bucketline/serve/s3_handler.h"

#include <chrono>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/hash.h"
#include "bucketline/serve/answer_head.h"
#include "bucketline/store/blocking.h"

namespace bucketline::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class S3HandlerTest : public ::testing::Test {
 protected:
  Answer Ask(std::string method, std::string_view target, std::string body = {},
             std::vector<std::pair<std::string, std::string>> headers = {}) {
    Request request;
    request.method = std::move(method);
    ParseTarget(target, request);
    request.headers = std::move(headers);
    const Operation operation = OperationOf(request);
    if (TakesData(operation)) return Upload(operation, request, body);
    auto promise = std::make_shared<std::promise<Answer>>();
    std::future<Answer> answer = promise->get_future();
    handler_.Handle(operation, request, body,
                    [promise](Answer given) { promise->set_value(std::move(given)); });
    EXPECT_EQ(answer.wait_for(std::chrono::seconds(120)), std::future_status::ready);
    return answer.get();
  }

  Answer Upload(Operation operation, Request& request, const std::string& body) {
    request.headers.emplace_back("content-length", std::to_string(body.size()));
    return Guard([&] {
      const std::unique_ptr<serve::Upload> upload = handler_.OpenUpload(operation, request, std::nullopt);
      upload->Write({reinterpret_cast<const uint8_t*>(body.data()), body.size()});
      return handler_.FinishUpload(operation, request, *upload);
    });
  }

  static std::string CodeOf(const Answer& answer) { return answer.failure ? answer.failure->code() : "none"; }
  static std::string HeaderOf(const Answer& answer, std::string_view name) {
    for (const auto& [header, value] : answer.headers) {
      if (header == name) return value;
    }
    return {};
  }
  std::string ETagOf(const Answer& answer) { return HeaderOf(answer, "ETag"); }
  std::string Stored(const std::string& key) { return GetBytes(*buckets_->Find("bucket"), key).ToString(); }
  std::string NewUpload() {
    const std::string xml = Ask("POST", "/bucket/large?uploads").body;
    const size_t begin = xml.find("<UploadId>") + 10;
    return xml.substr(begin, xml.find("</UploadId>") - begin);
  }

  static constexpr uint64_t kMinPart = 5;
  std::unique_ptr<BucketProvider> buckets_ = MakeMemoryBuckets();
  std::stop_source stop_;
  S3Handler handler_{*buckets_, "eu-west-1", kMinPart, stop_.get_token()};
};

TEST_F(S3HandlerTest, Buckets) {
  EXPECT_EQ(CodeOf(Ask("PUT", "/No")), "InvalidBucketName");
  EXPECT_EQ(HeaderOf(Ask("PUT", "/bucket"), "Location"), "/bucket");
  EXPECT_EQ(CodeOf(Ask("PUT", "/bucket")), "BucketAlreadyOwnedByYou");
  EXPECT_EQ(HeaderOf(Ask("HEAD", "/bucket"), "x-amz-bucket-region"), "eu-west-1");
  EXPECT_THAT(Ask("GET", "/bucket?location").body, HasSubstr(">eu-west-1</LocationConstraint>"));
  EXPECT_THAT(Ask("GET", "/").body, HasSubstr("<Bucket><Name>bucket</Name><CreationDate>20"));
  Ask("PUT", "/bucket/k", "x");
  EXPECT_EQ(CodeOf(Ask("DELETE", "/bucket")), "BucketNotEmpty");
  EXPECT_EQ(Ask("DELETE", "/bucket/k").status, 204);
  EXPECT_EQ(Ask("DELETE", "/bucket").status, 204);
  for (const auto& [method, target] : {std::pair{"DELETE", "/bucket"},
                                       {"HEAD", "/bucket"},
                                       {"GET", "/bucket?location"},
                                       {"GET", "/bucket?list-type=2"},
                                       {"GET", "/bucket/k"},
                                       {"HEAD", "/bucket/k"},
                                       {"PUT", "/bucket/k"},
                                       {"DELETE", "/bucket/k"},
                                       {"POST", "/bucket?delete"},
                                       {"POST", "/bucket/k?uploads"},
                                       {"PUT", "/bucket/k?uploadId=u&partNumber=1"},
                                       {"POST", "/bucket/k?uploadId=u"},
                                       {"DELETE", "/bucket/k?uploadId=u"},
                                       {"GET", "/bucket/k?uploadId=u"}}) {
    EXPECT_EQ(CodeOf(Ask(method, target)), "NoSuchBucket") << method << target;
  }
  EXPECT_EQ(CodeOf(Ask("PATCH", "/bucket")), "NotImplemented");
}

TEST_F(S3HandlerTest, GetAndHead) {
  Ask("PUT", "/bucket");
  const std::string etag = ETagOf(Ask("PUT", "/bucket/a%20b", "0123456789"));
  const Answer whole = Ask("GET", "/bucket/a%20b");
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(ETagOf(whole), etag);
  ASSERT_TRUE(whole.object.has_value());
  EXPECT_EQ(whole.object->key, "a b");
  EXPECT_EQ(whole.object->length, 10u);
  const Answer part = Ask("GET", "/bucket/a%20b", "", {{"range", "bytes=2-4"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(HeaderOf(part, "Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(part.object->offset, 2u);
  EXPECT_EQ(part.object->length, 3u);
  EXPECT_EQ(part.object->etag, etag);
  EXPECT_EQ(Ask("GET", "/bucket/a%20b", "", {{"range", "lines=1-2"}}).status, 200);
  EXPECT_EQ(Ask("GET", "/bucket/a%20b", "", {{"range", "bytes=10-"}}).status, 416);
  const Answer head = Ask("HEAD", "/bucket/a%20b");
  EXPECT_EQ(head.head_length, 10u);
  EXPECT_FALSE(head.object.has_value());
  EXPECT_EQ(CodeOf(Ask("GET", "/bucket/none")), "NoSuchKey");
  EXPECT_EQ(Ask("HEAD", "/bucket/none").status, 404);
  EXPECT_EQ(Ask("GET", "/bucket/a%20b", "", {{"if-match", etag}}).status, 200);
  EXPECT_EQ(Ask("GET", "/bucket/a%20b", "", {{"if-match", "\"x\""}}).status, 412);
  EXPECT_EQ(Ask("GET", "/bucket/a%20b", "", {{"if-none-match", "\"x\""}}).status, 200);
  const Answer same = Ask("GET", "/bucket/a%20b", "", {{"if-none-match", etag}});
  EXPECT_EQ(same.status, 304);
  EXPECT_FALSE(same.object.has_value());
}

TEST_F(S3HandlerTest, ConditionalPut) {
  Ask("PUT", "/bucket");
  EXPECT_EQ(Ask("PUT", "/bucket/k", "one", {{"if-none-match", "*"}}).status, 200);
  EXPECT_EQ(CodeOf(Ask("PUT", "/bucket/k", "two", {{"if-none-match", "*"}})), "PreconditionFailed");
  EXPECT_EQ(CodeOf(Ask("PUT", "/bucket/k", "two", {{"if-none-match", "\"e\""}})), "NotImplemented");
  EXPECT_EQ(CodeOf(Ask("PUT", "/bucket/k", "two", {{"if-match", "\"e\""}})), "NotImplemented");
  EXPECT_EQ(Stored("k"), "one");
  EXPECT_EQ(CodeOf(Ask("PUT", "/bucket/k", "two", {{"content-md5", Base64(Md5("one"))}})), "BadDigest");
  EXPECT_EQ(Stored("k"), "one");
}

TEST_F(S3HandlerTest, ListPages) {
  Ask("PUT", "/bucket");
  for (const char* key : {"a", "b%26/1", "b%26/2", "c%0A%01"}) Ask("PUT", "/bucket/" + std::string(key), "x");
  const std::string all = Ask("GET", "/bucket?list-type=2&encoding-type=url&delimiter=/").body;
  EXPECT_THAT(all,
              HasSubstr("<KeyCount>3</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>"));
  EXPECT_THAT(all, HasSubstr("<Key>c%0A%01</Key>"));
  EXPECT_THAT(all, HasSubstr("<CommonPrefixes><Prefix>b%26/</Prefix></CommonPrefixes>"));
  EXPECT_THAT(all, HasSubstr("<EncodingType>url</EncodingType>"));
  EXPECT_THAT(Ask("GET", "/bucket?list-type=2&prefix=b").body, HasSubstr("<Key>b&amp;/1</Key>"));

  const std::string first = Ask("GET", "/bucket?list-type=2&max-keys=1").body;
  EXPECT_THAT(first, HasSubstr("<IsTruncated>true</IsTruncated>"));
  const size_t begin = first.find("<NextContinuationToken>") + 23;
  const std::string token = first.substr(begin, first.find('<', begin) - begin);
  const std::string second = Ask("GET", "/bucket?list-type=2&max-keys=2&continuation-token=" + token).body;
  EXPECT_THAT(second, HasSubstr("<Key>b&amp;/1</Key>"));
  EXPECT_THAT(second, Not(HasSubstr("<Key>a</Key>")));
  EXPECT_THAT(Ask("GET", "/bucket?list-type=2&max-keys=0").body, HasSubstr("<KeyCount>0</KeyCount>"));
  EXPECT_THAT(Ask("GET", "/bucket?list-type=2&max-keys=5000").body, HasSubstr("<MaxKeys>1000</MaxKeys>"));
  EXPECT_THAT(Ask("GET", "/bucket?list-type=2&start-after=c").body, HasSubstr("<KeyCount>1</KeyCount>"));
  for (const char* bad : {"max-keys=-1", "max-keys=x", "max-keys=9999999999", "encoding-type=base64",
                          "continuation-token=", "continuation-token=zz", "continuation-token=t1",
                          "continuation-token=tzz", "continuation-token=t"}) {
    EXPECT_EQ(CodeOf(Ask("GET", "/bucket?list-type=2&" + std::string(bad))), "InvalidArgument") << bad;
  }
  EXPECT_EQ(CodeOf(Ask("GET", "/bucket?list-type=2&delimiter=x")), "NotImplemented");
}

TEST_F(S3HandlerTest, DeleteMany) {
  Ask("PUT", "/bucket");
  for (const char* key : {"a", "b", "c"}) Ask("PUT", "/bucket/" + std::string(key), "x");
  const std::string xml = "<Delete><Object><Key>a</Key></Object><Object><Key>gone</Key></Object></Delete>";
  EXPECT_THAT(Ask("POST", "/bucket?delete", xml).body,
              HasSubstr("<Deleted><Key>a</Key></Deleted><Deleted><Key>gone</Key></Deleted>"));
  EXPECT_THAT(
      Ask("POST", "/bucket?delete", "<Delete><Quiet>true</Quiet><Object><Key>b</Key></Object></Delete>").body,
      Not(HasSubstr("Deleted>")));
  EXPECT_THAT(Ask("GET", "/bucket?list-type=2").body, HasSubstr("<KeyCount>1</KeyCount>"));
  std::string many;
  for (int i = 0; i <= 1000; ++i) many += "<Object><Key>k</Key></Object>";
  for (const std::string& bad :
       {std::string(), std::string("<Delete>"), std::string("<Delete></Delete>"), std::string("<Other/>"),
        "<Delete>" + many + "</Delete>", std::string("<Delete><Object><Key></Key></Object></Delete>")}) {
    EXPECT_EQ(CodeOf(Ask("POST", "/bucket?delete", bad)), "MalformedXML") << bad;
  }
  EXPECT_EQ(CodeOf(Ask("POST", "/bucket?delete", xml, {{"content-md5", Base64(Md5("other"))}})), "BadDigest");
}

TEST_F(S3HandlerTest, Multipart) {
  Ask("PUT", "/bucket");
  const std::string upload = "/bucket/large?uploadId=" + NewUpload();
  const auto put = [&](int number, std::string body) {
    return ETagOf(Ask("PUT", upload + "&partNumber=" + std::to_string(number), std::move(body)));
  };
  const auto part = [](int number, const std::string& etag) {
    return "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" + etag + "</ETag></Part>";
  };
  const auto complete = [&](const std::string& parts) {
    return Ask("POST", upload, "<CompleteMultipartUpload>" + parts + "</CompleteMultipartUpload>");
  };
  put(7, "thrown away");
  const std::string two = put(2, "12345");
  const std::string seven = put(7, "67");
  const std::string nine = put(9, "never used");
  EXPECT_TRUE(ListAll(*buckets_->Find("bucket"), "").empty()) << "parts show";
  EXPECT_THAT(Ask("GET", upload).body, HasSubstr("<Part><PartNumber>7</PartNumber>"));
  EXPECT_THAT(Ask("GET", upload + "&max-parts=1").body,
              HasSubstr("<NextPartNumberMarker>2</NextPartNumberMarker>"));
  EXPECT_THAT(Ask("GET", upload + "&part-number-marker=7").body,
              Not(HasSubstr("<PartNumber>7</PartNumber>")));

  EXPECT_EQ(CodeOf(complete("")), "MalformedXML");
  EXPECT_EQ(CodeOf(complete(part(0, two))), "MalformedXML");
  EXPECT_EQ(CodeOf(complete(part(2, seven))), "InvalidPart");
  EXPECT_EQ(CodeOf(complete(part(3, two))), "InvalidPart");
  EXPECT_EQ(CodeOf(complete(part(7, seven) + part(2, two))), "InvalidPartOrder");
  EXPECT_EQ(CodeOf(complete(part(7, seven) + part(9, nine))), "EntityTooSmall");
  EXPECT_THAT(complete(part(2, two) + part(7, seven)).body, HasSubstr("<Location>/bucket/large</Location>"));
  EXPECT_EQ(Stored("large"), "1234567");
  EXPECT_EQ(CodeOf(complete(part(2, two) + part(7, seven))), "none") << "a repeated Complete succeeds";
  EXPECT_TRUE(ListAll(*buckets_->Staging(), "").empty()) << "parts are left over";
  EXPECT_EQ(CodeOf(Ask("PUT", upload + "&partNumber=1", "late")), "NoSuchUpload");
  EXPECT_TRUE(ListAll(*buckets_->Staging(), "").empty());
}

TEST_F(S3HandlerTest, MultipartAbortAndNames) {
  Ask("PUT", "/bucket");
  const std::string id = NewUpload();
  const std::string upload = "/bucket/large?uploadId=" + id;
  Ask("PUT", upload + "&partNumber=1", "part");
  EXPECT_EQ(CodeOf(Ask("PUT", "/bucket/other?uploadId=" + id + "&partNumber=1", "part")), "NoSuchUpload");
  for (const char* number : {"0", "10001", "x", "-1"}) {
    EXPECT_EQ(CodeOf(Ask("PUT", upload + "&partNumber=" + number, "part")), "InvalidArgument") << number;
  }
  EXPECT_EQ(Ask("DELETE", upload).status, 204);
  EXPECT_EQ(CodeOf(Ask("DELETE", upload)), "NoSuchUpload");
  EXPECT_TRUE(ListAll(*buckets_->Staging(), "").empty());
}

TEST_F(S3HandlerTest, CompleteMayRequireAbsence) {
  Ask("PUT", "/bucket");
  Ask("PUT", "/bucket/large", "there");
  const std::string upload = "/bucket/large?uploadId=" + NewUpload();
  const std::string etag = ETagOf(Ask("PUT", upload + "&partNumber=1", "part"));
  const std::string xml = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + etag +
                          "</ETag></Part></CompleteMultipartUpload>";
  EXPECT_EQ(CodeOf(Ask("POST", upload, xml, {{"if-none-match", "*"}})), "PreconditionFailed");
  EXPECT_EQ(Stored("large"), "there");
  EXPECT_EQ(CodeOf(Ask("POST", upload, xml)), "none") << "the upload survived the failure";
  EXPECT_EQ(Stored("large"), "part");
}

TEST_F(S3HandlerTest, StopEndsLongWork) {
  Ask("PUT", "/bucket");
  stop_.request_stop();
  EXPECT_EQ(CodeOf(Ask("POST", "/bucket?delete", "<Delete><Object><Key>a</Key></Object></Delete>")),
            "ServiceUnavailable");
}

TEST(RenderAnswer, HeadAndBody) {
  Answer answer = Answer::Xml("<x/>");
  answer.headers.emplace_back("ETag", "\"a\r\nInjected: 1\"");
  const RenderedAnswer whole = RenderAnswer(answer, false, true, "/b", "ID", WallTime{});
  EXPECT_THAT(
      whole.head,
      HasSubstr("HTTP/1.1 200 OK\r\nx-amz-request-id: ID\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"));
  EXPECT_THAT(whole.head, HasSubstr("Content-Length: 4\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_THAT(whole.head, HasSubstr("ETag: \"a??Injected: 1\"\r\n"));
  EXPECT_EQ(whole.body, "<x/>");
  const RenderedAnswer head =
      RenderAnswer(Answer::Failed(S3Failure("NoSuchKey")), true, false, "/b/k", "ID", WallTime{});
  EXPECT_THAT(head.head, HasSubstr("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(head.head, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.length, 0u);
  const RenderedAnswer error =
      RenderAnswer(Answer::Failed(S3Failure("InvalidRange", "", {{"ActualObjectSize", "3"}})), false, true,
                   "/b/<k>", "ID", WallTime{});
  EXPECT_THAT(error.body,
              HasSubstr("<Error><Code>InvalidRange</Code><Message>The requested range is not satisfiable"
                        "</Message><ActualObjectSize>3</ActualObjectSize><Resource>/b/&lt;k&gt;</Resource>"
                        "<RequestId>ID</RequestId></Error>"));
  EXPECT_THAT(RenderAnswer(Answer::Empty(204), false, true, "/", "ID", WallTime{}).head,
              Not(HasSubstr("Content-Length")));
}

TEST(FailureOf, EveryCodeHasAName) {
  const auto name = [](ErrorCode code) {
    const S3Failure failure = FailureOf(Error(code, "m", "/secret/path"));
    EXPECT_EQ(failure.message().find("/secret"), std::string::npos);
    return failure.code();
  };
  EXPECT_EQ(name(ErrorCode::kNotFound), "NoSuchKey");
  EXPECT_EQ(name(ErrorCode::kPermissionDenied), "AccessDenied");
  EXPECT_EQ(name(ErrorCode::kAlreadyExists), "PreconditionFailed");
  EXPECT_EQ(name(ErrorCode::kInvalidArgument), "InvalidArgument");
  EXPECT_EQ(name(ErrorCode::kThrottled), "SlowDown");
  EXPECT_EQ(name(ErrorCode::kCancelled), "ServiceUnavailable");
  EXPECT_EQ(name(ErrorCode::kUnsupported), "NotImplemented");
  EXPECT_EQ(name(ErrorCode::kIo), "InternalError");
  EXPECT_EQ(S3Failure("Unheard").status(), 500);
}

}  // namespace
}  // namespace bucketline::serve
