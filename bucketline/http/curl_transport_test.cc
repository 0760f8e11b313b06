// What libcurl sends and reads: bytes on the wire, kept connections, many requests at once.
#include "bucketline/http/curl_transport.h"

#include <atomic>
#include <cstdlib>
#include <future>
#include <set>
#include <vector>

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/http/exchange_test_util.h"
#include "bucketline/http/loopback_server_test_util.h"

namespace bucketline {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Remembers every request; answers `ok`.
class Recorder {
 public:
  LoopbackServer::Handler Handler() {
    return [this](LoopbackConnection& connection) {
      while (connection.ReadRequest()) {
        {
          const std::lock_guard lock(mutex_);
          heads_.push_back(connection.head);
          bodies_.push_back(connection.body);
        }
        if (!connection.Respond("ok")) return;
      }
    };
  }
  std::string head(size_t i) {
    const std::lock_guard lock(mutex_);
    return heads_.at(i);
  }
  std::string body(size_t i) {
    const std::lock_guard lock(mutex_);
    return bodies_.at(i);
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> heads_;
  std::vector<std::string> bodies_;
};

class CurlTransportTest : public testing::Test {
 protected:
  // One exchange that must succeed.
  std::shared_ptr<Exchange> Run(HttpRequest request) {
    auto exchange = Exchange::Start(*transport_, std::move(request));
    const auto result = exchange->Wait();
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().what());
    return exchange;
  }

  Recorder recorder_;
  LoopbackServer server_{recorder_.Handler()};
  std::unique_ptr<HttpTransport> transport_ = MakeCurlTransport();
};

TEST_F(CurlTransportTest, ThePathAndQueryGoOutAsTheyAre) {
  Run(Get(server_.Url("/a/../b/./c//%2e%20%C3%A9?list-type=2&prefix=a%2Fb&empty=&flag")));
  EXPECT_THAT(recorder_.head(0),
              StartsWith("GET /a/../b/./c//%2e%20%C3%A9?list-type=2&prefix=a%2Fb&empty=&flag HTTP/1.1\r\n"));
}

TEST_F(CurlTransportTest, OnlyTheCallersHeadersAndTheTransportsOwn) {
  HttpRequest request = Get(server_.Url());
  request.headers.Add("Range", "bytes=0-9");
  request.headers.Add("x-empty", "");
  request.headers.Add("x-twice", "1");
  request.headers.Add("x-twice", "2");
  Run(request);
  EXPECT_EQ(recorder_.head(0), "GET / HTTP/1.1\r\nHost: " + server_.authority() +
                                   "\r\nUser-Agent: bucketline\r\nRange: bytes=0-9\r\nx-empty:\r\n"
                                   "x-twice: 1\r\nx-twice: 2\r\n\r\n");
}

TEST_F(CurlTransportTest, TheTransportsOwnHeadersCannotBeGiven) {
  HttpRequest request = WithBody("PUT", server_.Url(), "body");
  for (const char* name : {"Host", "content-length", "Transfer-Encoding", "Connection"}) {
    request.headers.Add(name, "given");
  }
  Run(request);
  EXPECT_THAT(recorder_.head(0), Not(HasSubstr("given")));
  EXPECT_EQ(recorder_.body(0), "body");
}

TEST_F(CurlTransportTest, PutAndPostSendTheirBodyWithItsLength) {
  for (const char* method : {"PUT", "POST"}) {
    for (const std::string& body : {std::string("<xml/>"), std::string()}) {
      auto recorded = Recorder();
      LoopbackServer server(recorded.Handler());
      Run(WithBody(method, server.Url("/key"), body));
      EXPECT_THAT(recorded.head(0), StartsWith(std::string(method) + " /key HTTP/1.1\r\n"));
      EXPECT_THAT(recorded.head(0), HasSubstr("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"));
      EXPECT_THAT(recorded.head(0), Not(HasSubstr("Content-Type")));
      EXPECT_THAT(recorded.head(0), Not(HasSubstr("Expect")));
      EXPECT_EQ(recorded.body(0), body);
    }
  }
}

TEST_F(CurlTransportTest, OtherMethodsGoOutByName) {
  Run(WithBody("DELETE", server_.Url("/key"), ""));
  EXPECT_THAT(recorder_.head(0), StartsWith("DELETE /key HTTP/1.1\r\n"));
  EXPECT_THAT(recorder_.head(0), Not(HasSubstr("Content-Length")));
}

TEST_F(CurlTransportTest, AReusedHandleForgetsTheLastRequest) {
  HttpRequest put = WithBody("PUT", server_.Url("/first"), "body");
  put.headers.Add("x-secret", "1");
  Run(put);
  HttpRequest head = Get(server_.Url("/second"));
  head.method = "HEAD";
  LoopbackServer empty(LoopbackServer::Once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"));
  head.url = empty.Url();
  EXPECT_EQ(Run(head)->head().content_length, 2u);
  EXPECT_EQ(Run(Get(server_.Url("/third")))->body(), "ok");
  EXPECT_THAT(recorder_.head(1), StartsWith("GET /third "));
  EXPECT_THAT(recorder_.head(1), Not(HasSubstr("x-secret")));
  EXPECT_THAT(recorder_.head(1), Not(HasSubstr("Content-Length")));
}

TEST_F(CurlTransportTest, ABigPutComesBackByteForByte) {
  std::string data(8 << 20, '\0');
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 2654435761u >> 13);
  LoopbackServer echo([](LoopbackConnection& connection) {
    if (connection.ReadRequest()) connection.Respond(connection.body);
  });
  const auto exchange = Run(WithBody("PUT", echo.Url(), data));
  EXPECT_TRUE(exchange->body() == data);
  EXPECT_EQ(exchange->Wait()->body_bytes, data.size());
}

TEST_F(CurlTransportTest, ChunkedBodiesAreJoinedAndTrailersDropped) {
  LoopbackServer server(
      LoopbackServer::Once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "4\r\nabcd\r\n3\r\nefg\r\n0\r\nx-trailer: 1\r\n\r\n"));
  const auto exchange = Run(Get(server.Url()));
  EXPECT_EQ(exchange->body(), "abcdefg");
  EXPECT_EQ(exchange->head().content_length, std::nullopt);
  EXPECT_EQ(exchange->head().headers.Find("x-trailer"), std::nullopt);
}

TEST_F(CurlTransportTest, CompressedBodiesStayAsTheyAre) {
  LoopbackServer server(
      LoopbackServer::Once("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\nnot gz!"));
  EXPECT_EQ(Run(Get(server.Url()))->body(), "not gz!");
}

TEST_F(CurlTransportTest, InformationalAnswersAreSkipped) {
  LoopbackServer server(
      LoopbackServer::Once("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                           "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"));
  const auto exchange = Run(WithBody("PUT", server.Url(), "body"));
  EXPECT_EQ(exchange->head().status, 201);
  EXPECT_EQ(exchange->heads(), 1);
}

TEST_F(CurlTransportTest, RedirectsAreAnswersLikeOthers) {
  LoopbackServer server(LoopbackServer::Once("HTTP/1.1 307 Moved\r\nLocation: " + server_.Url("/elsewhere") +
                                             "\r\nContent-Length: 0\r\n\r\n"));
  const auto exchange = Run(Get(server.Url()));
  EXPECT_EQ(exchange->head().status, 307);
  EXPECT_EQ(exchange->head().headers.Find("location"), server_.Url("/elsewhere"));
  EXPECT_EQ(server_.connections(), 0u);
}

TEST_F(CurlTransportTest, ABodyMayEndWithTheConnection) {
  LoopbackServer server(LoopbackServer::Once("HTTP/1.1 200 OK\r\n\r\nuntil the end"));
  const auto exchange = Run(Get(server.Url()));
  EXPECT_EQ(exchange->body(), "until the end");
  EXPECT_EQ(exchange->head().content_length, std::nullopt);
}

TEST_F(CurlTransportTest, NoContentHasNoBodyWhateverItsLengthSays) {
  LoopbackServer server(LoopbackServer::Once("HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n"));
  EXPECT_EQ(Run(Get(server.Url()))->body(), "");
}

TEST_F(CurlTransportTest, ConnectionsAreKept) {
  EXPECT_FALSE(Run(Get(server_.Url()))->Wait()->reused_connection);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Run(Get(server_.Url()))->Wait()->reused_connection);
  EXPECT_EQ(server_.connections(), 1u);
}

TEST_F(CurlTransportTest, AFreshConnectionCanBeAskedFor) {
  Run(Get(server_.Url()));
  HttpRequest request = Get(server_.Url());
  request.fresh_connection = true;
  EXPECT_FALSE(Run(request)->Wait()->reused_connection);
  EXPECT_EQ(server_.connections(), 2u);
}

TEST_F(CurlTransportTest, TimingsAreOfThisExchange) {
  const auto timing = *Run(Get(server_.Url()))->Wait();
  EXPECT_GT(timing.first_byte, Duration::zero());
  EXPECT_LE(timing.first_byte, timing.total);
  EXPECT_LT(timing.total, Exchange::kPatience);
}

TEST_F(CurlTransportTest, SixtyFourAtOnce) {
  constexpr int kAtOnce = 64;
  std::promise<void> all_here;
  std::atomic<int> waiting = 0;
  LoopbackServer server([&, here = all_here.get_future().share()](LoopbackConnection& connection) {
    if (!connection.ReadRequest()) return;
    if (++waiting == kAtOnce) all_here.set_value();  // nobody is answered before all have asked
    if (here.wait_for(Exchange::kPatience) == std::future_status::ready) connection.Respond(connection.head);
  });
  transport_ = MakeCurlTransport({.threads = 3});
  std::vector<std::shared_ptr<Exchange>> exchanges;
  for (int i = 0; i < kAtOnce; ++i) {
    exchanges.push_back(Exchange::Start(*transport_, Get(server.Url("/" + std::to_string(i)))));
  }
  for (int i = 0; i < kAtOnce; ++i) {
    ASSERT_TRUE(exchanges[i]->Wait().ok());
    EXPECT_THAT(exchanges[i]->body(), StartsWith("GET /" + std::to_string(i) + " "));
  }
}

TEST_F(CurlTransportTest, CallsGoToTheLeastLoadedThread) {
  LoopbackServer stalling([](LoopbackConnection& connection) { connection.WaitForPeer(); });
  transport_ = MakeCurlTransport({.threads = 4});
  std::vector<std::shared_ptr<Exchange>> exchanges;
  std::set<HttpTransport::CallId> loops;
  for (int i = 0; i < 4; ++i) {
    exchanges.push_back(Exchange::Make());
    loops.insert(exchanges.back()->SendOn(*transport_, Get(stalling.Url())) % 4);
  }
  EXPECT_EQ(loops.size(), 4u);
}

size_t OpenDescriptors() {
  DIR* folder = opendir("/proc/self/fd");
  size_t count = 0;
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

TEST_F(CurlTransportTest, DescriptorsAllComeBack) {
  transport_.reset();
  const size_t before = OpenDescriptors();
  {
    LoopbackServer server(LoopbackServer::Always("ok"));
    auto transport = MakeCurlTransport({.threads = 2, .connections_per_thread = 8});
    for (int round = 0; round < 10; ++round) {
      std::vector<std::shared_ptr<Exchange>> exchanges;
      for (int i = 0; i < 20; ++i) exchanges.push_back(Exchange::Start(*transport, Get(server.Url())));
      for (const auto& exchange : exchanges) ASSERT_TRUE(exchange->Wait().ok());
    }
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(CurlTransportTest, IdleConnectionsAreClosedAndTheTransportGoesOn) {
  std::promise<void> closed;
  LoopbackServer server([&](LoopbackConnection& connection) {
    while (connection.ReadRequest()) connection.Respond("ok");
    if (connection.number() == 0) closed.set_value();
  });
  transport_ = MakeCurlTransport({.idle_close = std::chrono::milliseconds(20)});
  Run(Get(server.Url()));
  ASSERT_EQ(closed.get_future().wait_for(Exchange::kPatience), std::future_status::ready);
  EXPECT_FALSE(Run(Get(server.Url()))->Wait()->reused_connection);
}

TEST(MakeCurlTransport, NeedsThreadsAndConnections) {
  EXPECT_THROW(MakeCurlTransport({.threads = 0}), Error);
  EXPECT_THROW(MakeCurlTransport({.connections_per_thread = 0}), Error);
}

TEST(MakeCurlTransport, StartsNoThreadBeforeTheFirstSend) {
  const auto threads = [] {
    size_t count = 0;
    DIR* folder = opendir("/proc/self/task");
    while (readdir(folder) != nullptr) ++count;
    closedir(folder);
    return count;
  };
  const size_t before = threads();
  const auto transport = MakeCurlTransport({.threads = 4});
  EXPECT_EQ(threads(), before);
}

TEST(MakeCurlTransport, ProxiesComeFromTheEnvironment) {
  Recorder recorder;
  LoopbackServer proxy(recorder.Handler());
  setenv("http_proxy", proxy.Url("").c_str(), 1);
  {
    const auto transport = MakeCurlTransport();
    const auto exchange = Exchange::Start(*transport, Get("http://bucket.invalid/key?x=1"));
    EXPECT_TRUE(exchange->Wait().ok());
  }
  unsetenv("http_proxy");
  EXPECT_THAT(recorder.head(0), StartsWith("GET http://bucket.invalid/key?x=1 HTTP/1.1\r\n"));
}

}  // namespace
}  // namespace bucketline
