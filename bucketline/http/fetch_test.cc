#include "bucketline/http/fetch.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/http/curl_transport.h"
#include "bucketline/http/loopback_server_test_util.h"
#include "bucketline/http/scripted_transport.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

HttpRequest To(std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  return request;
}

TEST(FetchTest, AnAnswerIsASuccessWhateverItsStatus) {
  ScriptedTransport transport;
  transport.Push(AnswerWith(404, "not here", {{"X-Name", "value"}}));
  const auto reply = Fetch(transport, To("http://service.test/path"));
  ASSERT_TRUE(reply) << reply.error().what();
  EXPECT_EQ(reply->head.status, 404);
  EXPECT_EQ(reply->head.headers.Find("x-name"), "value");
  EXPECT_EQ(reply->body, "not here");
}

TEST(FetchTest, TheTransportsFailureIsItsOwn) {
  ScriptedTransport transport;
  transport.Push(FailWith(Error(ErrorCode::kConnection, "refused")));
  const auto reply = Fetch(transport, To("http://service.test/path"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), ErrorCode::kConnection);
}

TEST(FetchTest, AnAnswerIsReadToALimit) {
  ScriptedTransport transport;
  transport.Push(AnswerWith(200, std::string(100, 'x')));
  transport.Push(AnswerWith(200, std::string(101, 'x')));
  EXPECT_EQ(Fetch(transport, To("http://service.test/"), {}, 100)->body.size(), 100u);
  const auto reply = Fetch(transport, To("http://service.test/"), {}, 100);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(reply.error().message(), HasSubstr("service.test"));
}

TEST(FetchTest, AStopEndsWhatHangs) {
  ScriptedTransport transport;
  ScriptedAnswer hang;
  hang.hang = true;
  transport.Push(hang);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const auto reply = Fetch(transport, To("http://service.test/"), stop.get_token());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), ErrorCode::kCancelled);
}

TEST(FetchTest, ADirectRequestPassesEveryProxy) {
  LoopbackServer service(LoopbackServer::Always("the service"));
  LoopbackServer proxy(LoopbackServer::Always("the proxy"));
  // libcurl reads the variable as each transfer begins.
  unsetenv("no_proxy");
  unsetenv("NO_PROXY");
  setenv("http_proxy", proxy.Url("").c_str(), 1);
  const auto transport = MakeCurlTransport();
  HttpRequest request = To(service.Url());
  EXPECT_EQ(Fetch(*transport, request)->body, "the proxy");
  request.direct = true;
  EXPECT_EQ(Fetch(*transport, request)->body, "the service");
  unsetenv("http_proxy");
}

}  // namespace
}  // namespace bucketline
