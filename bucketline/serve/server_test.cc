#include "bucketline/serve/server.h"

#include <cerrno>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A client that says exactly what it is told to; every read has a deadline.
class RawClient {
 public:
  explicit RawClient(const Server& server) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    const std::string url = server.endpoint_url();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval deadline{120, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
    connected_ = connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(socket_); }

  bool connected() const { return connected_; }
  void Say(std::string_view text) { (void)send(socket_, text.data(), text.size(), MSG_NOSIGNAL); }
  void SayNothingMore() { shutdown(socket_, SHUT_WR); }

  // Up to and including `end`, or all there is.
  std::string HearUntil(std::string_view end) {
    while (text_.find(end) == std::string::npos && HearMore()) {
    }
    const size_t found = text_.find(end);
    const std::string heard = text_.substr(0, found == std::string::npos ? found : found + end.size());
    text_.erase(0, heard.size());
    return heard;
  }
  std::string HearExactly(size_t size) {
    while (text_.size() < size && HearMore()) {
    }
    const std::string heard = text_.substr(0, size);
    text_.erase(0, heard.size());
    return heard;
  }
  std::string HearAll() {
    while (HearMore()) {
    }
    return std::exchange(text_, {});
  }
  int error() const { return error_; }  // of the read that ended it: 0 after a clean close

 private:
  bool HearMore() {
    char buffer[65536];
    const ssize_t size = recv(socket_, buffer, sizeof buffer, 0);
    if (size > 0) text_.append(buffer, static_cast<size_t>(size));
    error_ = size < 0 ? errno : 0;
    return size > 0;
  }

  int socket_;
  bool connected_ = false;
  int error_ = 0;
  std::string text_;
};

ServerOptions Anonymous() {
  ServerOptions options;
  options.anonymous = true;
  return options;
}

constexpr char kGet[] = "GET /bucket/k HTTP/1.1\r\nHost: h\r\n\r\n";

class ServerTest : public ::testing::Test {
 protected:
  void Start(ServerOptions options, std::string content = std::string(3'000'000, 'x')) {
    content_ = std::move(content);
    server_ = std::make_unique<Server>(std::move(options), MakeMemoryBuckets());
    server_->buckets().Create("bucket");
    PutBytes(*server_->buckets().Find("bucket"), "k", content_);
  }
  void SetFault(double FaultPlan::* share) {
    FaultPlan plan;
    plan.*share = 1;
    server_->SetFaults(plan);
  }
  std::string Ask(std::string_view text) {
    RawClient client(*server_);
    client.Say(text);
    client.SayNothingMore();
    return client.HearAll();
  }

  std::string content_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, KeepsConnectionsAndStreamsLargeObjects) {
  Start(Anonymous());
  RawClient client(*server_);
  for (int round = 0; round < 2; ++round) {
    client.Say(kGet);
    EXPECT_THAT(client.HearUntil("\r\n\r\n"), HasSubstr("Content-Length: 3000000\r\n"));
    EXPECT_TRUE(client.HearExactly(content_.size()) == content_);
  }
  client.Say(
      "HEAD /bucket/k HTTP/1.1\r\nHost: h\r\n\r\nHEAD /bucket/none HTTP/1.1\r\nHost: h\r\nConnection: "
      "close\r\n\r\n");
  EXPECT_THAT(client.HearUntil("\r\n\r\n"), HasSubstr("Content-Length: 3000000\r\n"));
  EXPECT_THAT(client.HearAll(), ::testing::AllOf(StartsWith("HTTP/1.1 404"), EndsWith("\r\n\r\n")));
  EXPECT_EQ(server_->counters().of(Operation::kGetObject).value(), 2u);
  EXPECT_EQ(server_->counters().of(Operation::kHeadObject).value(), 2u);
  EXPECT_EQ(server_->counters().failures.value(), 1u);
  EXPECT_EQ(server_->counters().bytes_out.value(), 6'000'000u);
  EXPECT_EQ(server_->counters().connections.value(), 1u);
}

TEST_F(ServerTest, RefusesWithS3sErrors) {
  Start(ServerOptions());
  EXPECT_EQ(server_->access_key_id().size(), 20u);
  EXPECT_EQ(server_->secret_access_key().size(), 40u);
  const std::string answer = Ask(kGet);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 403 Forbidden\r\nx-amz-request-id: "));
  EXPECT_THAT(answer, HasSubstr("<Code>AccessDenied</Code>"));
  EXPECT_THAT(answer, HasSubstr("<Resource>/bucket/k</Resource><RequestId>"));
}

TEST_F(ServerTest, UploadsWithExpectation) {
  Start(Anonymous());
  RawClient client(*server_);
  client.Say("PUT /bucket/new HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.HearUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Say(std::string(600000, 'y'));
  EXPECT_THAT(client.HearUntil("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(GetBytes(*server_->buckets().Find("bucket"), "new").size(), 600000u);
  EXPECT_EQ(server_->counters().bytes_in.value(), 600000u);
  client.Say("PUT /none/new HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_THAT(client.HearUntil("</Error>"), HasSubstr("NoSuchBucket"));
  client.Say(kGet);
  EXPECT_THAT(client.HearUntil("\r\n\r\n"), StartsWith("HTTP/1.1 200")) << "the connection goes on";
}

TEST_F(ServerTest, HalfAnUploadLeavesNothing) {
  Start(Anonymous());
  {
    RawClient client(*server_);
    client.Say("PUT /bucket/new HTTP/1.1\r\nHost: h\r\nContent-Length: 600000\r\n\r\nhello");
  }
  server_->Stop();
  EXPECT_EQ(ListAll(*server_->buckets().Find("bucket"), "").size(), 1u);
}

TEST_F(ServerTest, BadRequests) {
  ServerOptions options = Anonymous();
  options.max_object_size = 1000;
  Start(std::move(options));
  EXPECT_THAT(Ask("NONSENSE\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("GET /bucket/%zz HTTP/1.1\r\nHost: h\r\n\r\n"), HasSubstr("InvalidURI"));
  EXPECT_THAT(Ask("GET /bucket/../../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n"), HasSubstr("NoSuchKey"));
  EXPECT_THAT(Ask("PATCH /bucket/k HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 501"));
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nX: " + std::string(40000, 'x') + "\r\n\r\n"),
              HasSubstr("RequestHeaderSectionTooLarge"));
  EXPECT_THAT(Ask("PUT /bucket/k HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n"),
              HasSubstr("EntityTooLarge"));
  EXPECT_THAT(Ask("PUT /bucket/k HTTP/1.1\r\nHost: h\r\n\r\n"), HasSubstr("MissingContentLength"));
}

TEST_F(ServerTest, ADocumentHasALimitThatObjectsHaveNot) {
  Start(Anonymous());
  const std::string body(2 << 20, ' ');
  const auto post = [&](std::string_view more) {
    return Ask("POST /bucket?delete HTTP/1.1\r\nHost: h\r\nContent-Length: " +
               std::to_string(body.size() + more.size()) + "\r\n\r\n" + body + std::string(more));
  };
  EXPECT_THAT(post(""), HasSubstr("MalformedXML"));
  EXPECT_THAT(post(" "), HasSubstr("EntityTooLarge"));
}

TEST_F(ServerTest, AnAnswerBeforeTheBodyIsHeard) {
  Start(ServerOptions());
  RawClient client(*server_);
  client.Say("PUT /bucket/k HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n");
  client.Say(std::string(5'000'000, 'x'));
  EXPECT_THAT(client.HearUntil("</Error>"), HasSubstr("AccessDenied"));
}

TEST_F(ServerTest, SlowDown) {
  Start(Anonymous());
  SetFault(&FaultPlan::slow_down);
  EXPECT_THAT(Ask(kGet), ::testing::AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("<Code>SlowDown</Code>")));
  EXPECT_THAT(Ask("HEAD /bucket/k HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 200"))
      << "only data is disturbed";
  EXPECT_EQ(server_->counters().of(ServeFault::kSlowDown).value(), 1u);
  server_->SetFaults({});
  EXPECT_THAT(Ask(kGet), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerTest, Resets) {
  Start(Anonymous());
  SetFault(&FaultPlan::reset_before);
  RawClient before(*server_);
  before.Say(kGet);
  EXPECT_EQ(before.HearAll(), "");
  EXPECT_EQ(before.error(), ECONNRESET);

  SetFault(&FaultPlan::reset_body);
  RawClient inside(*server_);
  inside.Say(kGet);
  EXPECT_THAT(inside.HearUntil("\r\n\r\n"), HasSubstr("Content-Length: 3000000\r\n"));
  EXPECT_LE(inside.HearAll().size(), 1'500'000u);
  EXPECT_EQ(inside.error(), ECONNRESET);
}

TEST_F(ServerTest, Truncation) {
  Start(Anonymous());
  SetFault(&FaultPlan::truncate);
  RawClient client(*server_);
  client.Say(kGet);
  EXPECT_THAT(client.HearUntil("\r\n\r\n"), HasSubstr("Content-Length: 3000000\r\n"));
  EXPECT_EQ(client.HearAll().size(), 1'500'000u);
  EXPECT_EQ(client.error(), 0) << "a clean close";
}

TEST_F(ServerTest, FaultsBiteEmptyBodiesToo) {
  Start(Anonymous(), "");
  for (double FaultPlan::* share : {&FaultPlan::reset_body, &FaultPlan::truncate}) {
    SetFault(share);
    EXPECT_EQ(Ask(kGet), "");
  }
}

TEST_F(ServerTest, StallsUntilStopped) {
  Start(Anonymous());
  SetFault(&FaultPlan::stall);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<RawClient>(*server_));
    clients.back()->Say(kGet);
    EXPECT_THAT(clients.back()->HearUntil("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
    EXPECT_EQ(clients.back()->HearExactly(1'500'000).size(), 1'500'000u);
  }
  const auto begin = steady_clock::now();
  server_->Stop();
  EXPECT_LT(steady_clock::now() - begin, seconds(60));
  for (const auto& client : clients) EXPECT_EQ(client->HearAll(), "");
  server_->Stop();  // once is enough, twice is fine
}

TEST_F(ServerTest, SlowAnswersCostNoThreads) {
  ServerOptions options = Anonymous();
  options.threads = 1;
  options.faults.latency = milliseconds(300);
  Start(std::move(options), "small");
  const auto begin = steady_clock::now();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(std::make_unique<RawClient>(*server_));
    clients.back()->Say(kGet);
  }
  for (const auto& client : clients) EXPECT_THAT(client->HearUntil("small"), EndsWith("small"));
  const auto elapsed = steady_clock::now() - begin;
  EXPECT_GE(elapsed, milliseconds(300));
  EXPECT_LT(elapsed, seconds(30)) << "one after the other would take 60 s";
}

TEST_F(ServerTest, StopsWhileAnswersAreDelayed) {
  ServerOptions options = Anonymous();
  options.faults.latency = std::chrono::hours(1);
  Start(std::move(options));
  RawClient client(*server_);
  client.Say(kGet);
  const auto deadline = steady_clock::now() + seconds(120);
  while (server_->counters().of(Operation::kGetObject).value() == 0 && steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  const auto begin = steady_clock::now();
  server_->Stop();
  EXPECT_LT(steady_clock::now() - begin, seconds(60));
  EXPECT_EQ(client.HearAll(), "");
}

TEST_F(ServerTest, ConnectionsAreLimited) {
  ServerOptions options = Anonymous();
  options.max_connections = 2;
  Start(std::move(options), "small");
  RawClient first(*server_);
  RawClient second(*server_);
  for (RawClient* client : {&first, &second}) {
    client->Say(kGet);
    EXPECT_THAT(client->HearUntil("small"), StartsWith("HTTP/1.1 200"));
  }
  RawClient third(*server_);
  EXPECT_EQ(third.HearAll(), "");
  EXPECT_EQ(server_->counters().connections_refused.value(), 1u);
}

TEST_F(ServerTest, IdleConnectionsEnd) {
  ServerOptions options = Anonymous();
  options.idle_timeout = milliseconds(50);
  Start(std::move(options));
  RawClient client(*server_);
  EXPECT_EQ(client.HearAll(), "");
  EXPECT_EQ(client.error(), 0);
}

TEST(Server, WrongOptionsAreRefused) {
  const auto code_of = [](const std::function<void(ServerOptions&)>& change) {
    ServerOptions options;
    change(options);
    try {
      Server server(options, MakeMemoryBuckets());
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code_of([](ServerOptions& o) { o.access_key_id = "half"; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([](ServerOptions& o) { o.address = "localhost"; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([](ServerOptions& o) { o.threads = 0; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([](ServerOptions& o) { o.max_connections = 0; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([](ServerOptions& o) { o.faults.stall = 2; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([](ServerOptions& o) { o.address = "192.0.2.1"; }), ErrorCode::kIo)
      << "not an address of ours";
}

}  // namespace
}  // namespace bucketline
