// Every way in which a server or a network can fail us, against libcurl: the code, the text, and no hang.
#include <atomic>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/http/curl_transport.h"
#include "bucketline/http/exchange_test_util.h"
#include "bucketline/http/loopback_server_test_util.h"

namespace bucketline {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

// A port whose queue of waiting connections is full, so that the kernel leaves further ones without an
// answer.
class FullPort : public ClosedPort {
 public:
  FullPort() : filler_(socket(AF_INET, SOCK_STREAM, 0)) {
    EXPECT_EQ(listen(fd_, 0), 0);
    EXPECT_EQ(connect(filler_, Address(), sizeof address_), 0);
  }
  ~FullPort() { close(filler_); }

 private:
  const int filler_;
};

class CurlFaults : public testing::Test {
 protected:
  // The error of one exchange that must fail; it names the server and hides the query and the headers.
  Error Fail(const std::string& authority, HttpRequest request) {
    request.headers.Add("Authorization", "secret");
    last_ = Exchange::Start(*transport_, std::move(request));
    const auto result = last_->Wait();
    if (result.ok()) {
      ADD_FAILURE() << "the exchange succeeded with status " << last_->head().status;
      return Error(ErrorCode::kInternal, "");
    }
    EXPECT_THAT(result.error().what(), HasSubstr(authority));
    EXPECT_THAT(result.error().what(), Not(HasSubstr("secret")));
    return result.error();
  }
  Error FailOn(LoopbackServer& server, HttpDeadlines deadlines = {}) {
    HttpRequest request = Get(server.Url("/key?X-Amz-Signature=secret"));
    request.deadlines = deadlines;
    return Fail(server.authority(), std::move(request));
  }
  ErrorCode CodeOfAnswer(std::string bytes) {
    LoopbackServer server(LoopbackServer::Once(std::move(bytes)));
    return FailOn(server).code();
  }

  std::shared_ptr<Exchange> last_;
  std::promise<void> body_seen_;
  std::unique_ptr<HttpTransport> transport_ = MakeCurlTransport();
};

TEST_F(CurlFaults, ConnectRefused) {
  ClosedPort port;
  const Error error = Fail(port.authority(), Get(port.Url()));
  EXPECT_EQ(error.code(), ErrorCode::kConnection);
  EXPECT_THAT(error.message(), HasSubstr("connect"));
}

TEST_F(CurlFaults, NameThatDoesNotResolve) {
  // ".invalid" is reserved (RFC 6761), so no resolver may answer it; the port keeps the name out of any
  // proxy's hands.
  const Error error = Fail("bucket.invalid:1", Get("http://bucket.invalid:1/key?secret"));
  EXPECT_EQ(error.code(), ErrorCode::kConnection);
}

TEST_F(CurlFaults, ResetBeforeTheHead) {
  LoopbackServer server([](LoopbackConnection& connection) {
    connection.ReadRequest();
    connection.ResetOnClose();
  });
  EXPECT_EQ(FailOn(server).code(), ErrorCode::kConnection);
  EXPECT_EQ(last_->heads(), 0);
}

TEST_F(CurlFaults, ClosedBeforeTheHead) { EXPECT_EQ(CodeOfAnswer(""), ErrorCode::kConnection); }

TEST_F(CurlFaults, ResetInTheBody) {
  LoopbackServer server([this](LoopbackConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
    body_seen_.get_future().wait_for(Exchange::kPatience);
    connection.ResetOnClose();
  });
  auto exchange = Exchange::Make();
  exchange->on_body = [this](std::span<const uint8_t>) {
    body_seen_.set_value();
    return Result<void>();
  };
  exchange->SendOn(*transport_, Get(server.Url()));
  const auto result = exchange->Wait();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), ErrorCode::kConnection);
  EXPECT_EQ(exchange->body(), "some");
}

TEST_F(CurlFaults, TruncatedBody) {
  LoopbackServer server(LoopbackServer::Once("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome"));
  const Error error = FailOn(server);
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.message(), HasSubstr("96 bytes remaining"));
}

TEST_F(CurlFaults, TruncatedChunks) {
  EXPECT_EQ(CodeOfAnswer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n"),
            ErrorCode::kCorruptData);
}

TEST_F(CurlFaults, BrokenChunks) {
  EXPECT_EQ(CodeOfAnswer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\nabcd\r\n"),
            ErrorCode::kCorruptData);
}

TEST_F(CurlFaults, AnswersThatAreNotHttp) {
  EXPECT_EQ(CodeOfAnswer("SSH-2.0-OpenSSH_9.2\r\n"), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOfAnswer("<html><body>It works!</body></html>\r\n\r\n"), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOfAnswer(std::string("\0\1\2\3\r\n\r\n", 8)), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOfAnswer("HTTP/7.3 200 OK\r\n\r\n"), ErrorCode::kCorruptData);
  EXPECT_EQ(last_->heads(), 0);
}

TEST_F(CurlFaults, BrokenHeads) {
  EXPECT_EQ(CodeOfAnswer("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"), ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOfAnswer("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx"),
            ErrorCode::kCorruptData);
  EXPECT_EQ(CodeOfAnswer("HTTP/1.1 200 OK\r\nx: " + std::string(200'000, 'y') + "\r\n\r\n"),
            ErrorCode::kCorruptData);
  EXPECT_EQ(last_->heads(), 0);
}

TEST_F(CurlFaults, ALengthThatLibcurlDoesNotKnowIsStillChecked) {
  // Beyond a signed 64-bit number libcurl reads until the connection ends and calls that complete.
  EXPECT_EQ(CodeOfAnswer("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nsome"),
            ErrorCode::kCorruptData);
}

TEST_F(CurlFaults, OnlyInformationalAnswers) {
  EXPECT_NE(CodeOfAnswer("HTTP/1.1 100 Continue\r\n\r\n"), ErrorCode::kInternal);
  EXPECT_EQ(last_->heads(), 0);
}

TEST_F(CurlFaults, ARequestGoesOutOnce) {
  std::atomic<int> requests = 0;
  LoopbackServer server([&](LoopbackConnection& connection) {
    if (connection.ReadRequest() && ++requests == 1) connection.Respond("ok");
    if (requests == 1 && connection.ReadRequest()) ++requests;  // the second one is never answered
  });
  ASSERT_TRUE(Exchange::Start(*transport_, Get(server.Url()))->Wait().ok());
  const Error error = FailOn(server);
  EXPECT_EQ(error.code(), ErrorCode::kConnection);
  EXPECT_THAT(error.message(), HasSubstr("kept connection"));
  EXPECT_EQ(requests, 2);
}

TEST_F(CurlFaults, AConnectionIsNotReusedAfterAFault) {
  LoopbackServer server([](LoopbackConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
    connection.WaitForPeer();
  });
  EXPECT_EQ(FailOn(server, {.stall = milliseconds(50)}).code(), ErrorCode::kTimeout);
  EXPECT_EQ(FailOn(server, {.stall = milliseconds(50)}).code(), ErrorCode::kTimeout);
  EXPECT_EQ(server.connections(), 2u);
}

TEST_F(CurlFaults, ConnectDeadline) {
  FullPort port;
  HttpRequest request = Get(port.Url());
  request.deadlines.connect = milliseconds(100);
  const Error error = Fail(port.authority(), request);
  EXPECT_EQ(error.code(), ErrorCode::kTimeout);
  EXPECT_THAT(error.message(), HasSubstr("100ms (the connect deadline)"));
}

TEST_F(CurlFaults, ConnectDeadlineCoversTls) {
  LoopbackServer server([](LoopbackConnection& connection) { connection.WaitForPeer(); });
  HttpRequest request = Get(server.Url("/key?secret", "https"));
  request.deadlines.connect = milliseconds(100);
  const Error error = Fail(server.authority(), request);
  EXPECT_EQ(error.code(), ErrorCode::kTimeout);
  EXPECT_THAT(error.message(), HasSubstr("100ms (the connect deadline)"));
}

TEST_F(CurlFaults, FirstByteDeadline) {
  LoopbackServer server([](LoopbackConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\n");  // a head that is never whole does not count
    connection.WaitForPeer();
  });
  const Error error = FailOn(server, {.first_byte = milliseconds(100)});
  EXPECT_EQ(error.code(), ErrorCode::kTimeout);
  EXPECT_THAT(error.message(), HasSubstr("100ms (the first_byte deadline)"));
}

TEST_F(CurlFaults, FirstByteDeadlineOnAKeptConnection) {
  LoopbackServer server([](LoopbackConnection& connection) {
    if (connection.ReadRequest()) connection.Respond("ok");
    connection.WaitForPeer();
  });
  ASSERT_TRUE(Exchange::Start(*transport_, Get(server.Url()))->Wait().ok());
  EXPECT_THAT(FailOn(server, {.first_byte = milliseconds(50)}).message(), HasSubstr("first_byte"));
  EXPECT_EQ(server.connections(), 1u);
}

TEST_F(CurlFaults, StallDeadlineInTheResponse) {
  LoopbackServer server([](LoopbackConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
    connection.WaitForPeer();
  });
  const Error error = FailOn(server, {.stall = milliseconds(100)});
  EXPECT_EQ(error.code(), ErrorCode::kTimeout);
  EXPECT_THAT(error.message(), HasSubstr("100ms (the stall deadline)"));
  EXPECT_EQ(last_->body(), "some");
}

TEST_F(CurlFaults, StallDeadlineInTheRequest) {
  LoopbackServer server([](LoopbackConnection& connection) {
    connection.ReadHead();
    pollfd peer{connection.fd(), POLLRDHUP, 0};
    poll(&peer, 1, 30'000);  // reads nothing until the client gives up
  });
  HttpRequest request = WithBody("PUT", server.Url("/key?secret"), std::string(64 << 20, 'x'));
  request.deadlines.stall = milliseconds(200);
  const Error error = Fail(server.authority(), request);
  EXPECT_EQ(error.code(), ErrorCode::kTimeout);
  EXPECT_THAT(error.message(),
              HasSubstr("no byte of the request could be sent for 200ms (the stall deadline)"));
}

TEST_F(CurlFaults, TotalDeadlineDespiteProgress) {
  LoopbackServer server([](LoopbackConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    pollfd peer{connection.fd(), POLLRDHUP, 0};
    while (connection.Write("x") && poll(&peer, 1, 5) == 0) {
    }
  });
  const Error error = FailOn(server, {.stall = milliseconds(10'000), .total = milliseconds(3000)});
  EXPECT_EQ(error.code(), ErrorCode::kTimeout);
  EXPECT_THAT(error.message(), HasSubstr("3s (the total deadline)"));
  EXPECT_GT(last_->body().size(), 0u);
}

TEST_F(CurlFaults, OneThatTimesOutDoesNotDisturbItsNeighbours) {
  LoopbackServer stalling([](LoopbackConnection& connection) { connection.WaitForPeer(); });
  LoopbackServer healthy(LoopbackServer::Always("ok"));
  HttpRequest request = Get(stalling.Url());
  request.deadlines.first_byte = milliseconds(50);
  const auto stalled = Exchange::Start(*transport_, request);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(Exchange::Start(*transport_, Get(healthy.Url()))->Wait().ok());
  EXPECT_EQ(stalled->Wait().error().code(), ErrorCode::kTimeout);
}

TEST_F(CurlFaults, ASlowSinkIsNotItsNeighboursStall) {
  constexpr milliseconds kStall(4000);  // until the neighbour's next bytes, also on a busy machine
  std::promise<void> held;
  LoopbackServer server([held = held.get_future().share()](LoopbackConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsome");
    held.wait_for(Exchange::kPatience);
    connection.Write("more");
  });
  LoopbackServer healthy(LoopbackServer::Always("ok"));
  HttpRequest request = Get(server.Url());
  request.deadlines.stall = kStall;
  const auto neighbour = Exchange::Start(*transport_, request);
  neighbour->WaitForBody();

  auto slow = Exchange::Make();
  slow->on_body = [&](std::span<const uint8_t>) {
    held.set_value();  // the neighbour's bytes come while the only network thread is held here, past its
                       // deadline
    std::promise<void>().get_future().wait_for(kStall * 5 / 4);
    return Result<void>();
  };
  slow->SendOn(*transport_, Get(healthy.Url()));
  EXPECT_TRUE(slow->Wait().ok());
  EXPECT_TRUE(neighbour->Wait().ok());
  EXPECT_EQ(neighbour->body(), "somemore");
}

TEST_F(CurlFaults, AnAnswerBeforeTheBodyWasReadIsAnAnswer) {
  LoopbackServer server([](LoopbackConnection& connection) {
    connection.ReadHead();
    connection.Write("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    connection.WaitForPeer();
  });
  const auto exchange =
      Exchange::Start(*transport_, WithBody("PUT", server.Url(), std::string(64 << 20, 'x')));
  ASSERT_TRUE(exchange->Wait().ok());
  EXPECT_EQ(exchange->head().status, 403);
}

TEST_F(CurlFaults, AnUnreadableCaBundleIsTheCallersError) {
  LoopbackServer server(LoopbackServer::Always("ok"));
  transport_ = MakeCurlTransport({.ca_bundle = "/nonexistent/ca.pem"});
  const Error error = Fail(server.authority(), Get(server.Url("/", "https")));
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), HasSubstr("/nonexistent/ca.pem"));
}

}  // namespace
}  // namespace bucketline
