#include "bucketline/serve/connection.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>

namespace bucketline::serve {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr uint32_t kMaxHead = 32 << 10;
constexpr size_t kReadBuffer = 64 << 10;
constexpr size_t kBlock = 256 << 10;          // of an upload, from socket to store
constexpr size_t kMaxDocument = 2 << 20;      // of XML that a client sends
constexpr uint64_t kMaxDiscarded = 64 << 20;  // of a body that nobody wants
constexpr auto kLinger = std::chrono::seconds(2);

// The chunk heads of an aws-chunked body, which Content-Length counts too.
uint64_t WithFraming(uint64_t size) { return size + size / 64 + (64 << 10); }

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

Request ReadRequest(const http::request_header<>& head) {
  Request request;
  request.method = std::string(head.method_string());
  for (const auto& field : head) {
    request.headers.emplace_back(Lower({field.name_string().data(), field.name_string().size()}),
                                 std::string(field.value()));
  }
  return request;
}

S3Failure FailureOf(const error_code& error) {
  if (error == http::error::header_limit) return S3Failure("RequestHeaderSectionTooLarge");
  if (error == http::error::body_limit) return S3Failure("EntityTooLarge");
  return S3Failure("InvalidRequest", "The request is not valid HTTP.");
}

bool IsHttpError(const error_code& error) {
  return error.category() == http::make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

}  // namespace

Connection::Connection(net::io_context& io, net::ip::tcp::socket socket, Endpoint& endpoint)
    : guard_(net::make_work_guard(io)),
      endpoint_(endpoint),
      stream_(std::move(socket)),
      timer_(stream_.get_executor()),
      buffer_(kReadBuffer),
      writer_(stream_, endpoint.options.idle_timeout, endpoint.stop.get_token(),
              endpoint.counters.bytes_out) {
  endpoint_.open_connections.fetch_add(1);
  endpoint_.counters.connections.Add();
}

Connection::~Connection() { endpoint_.open_connections.fetch_sub(1); }

void Connection::Post(std::function<void(Connection&)> what) {
  net::post(stream_.get_executor(), [self = shared_from_this(), what = std::move(what)] { what(*self); });
}

void Connection::Start() {
  Post([](Connection& self) {
    error_code ignored;
    self.stream_.socket().set_option(net::ip::tcp::no_delay(true), ignored);
    self.ReadHead();
  });
}

void Connection::Stop() {
  Post([](Connection& self) {
    self.stopping_ = true;
    self.timer_.cancel();
    self.stream_.close();
  });
}

void Connection::ReadHead() {
  if (stopping_) return;
  exchange_ = Exchange{};
  parser_.emplace();
  parser_->header_limit(kMaxHead);
  parser_->body_limit(WithFraming(endpoint_.options.max_object_size));
  stream_.expires_after(endpoint_.options.idle_timeout);
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](const error_code& error, size_t) { self->OnHead(error); });
}

void Connection::OnHead(const error_code& error) {
  if (error && !IsHttpError(error)) return;  // the client left or said nothing for too long
  exchange_.id = endpoint_.NewRequestId();
  exchange_.request = ReadRequest(parser_->get());
  if (error) {
    endpoint_.counters.operations[static_cast<size_t>(Operation::kUnknown)].Add();
    return Reply(Answer::Failed(FailureOf(error)));
  }
  Admit();
}

// Who asks, for what, and what shall go wrong.
void Connection::Admit() {
  Request& request = exchange_.request;
  const Answer refusal = Guard([&] {
    const auto target = parser_->get().target();
    ParseTarget({target.data(), target.size()}, request);
    exchange_.operation = OperationOf(request);
    exchange_.signer = endpoint_.authenticator.Check(request);
    return Answer();
  });
  endpoint_.counters.operations[static_cast<size_t>(exchange_.operation)].Add();
  if (refusal.failure) return Reply(refusal);
  exchange_.disturbance = endpoint_.faults.Next(exchange_.operation);
  endpoint_.counters.faults[static_cast<size_t>(exchange_.disturbance.fault)].Add();
  if (exchange_.disturbance.latency <= Duration{0}) return Proceed();
  timer_.expires_after(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(exchange_.disturbance.latency));
  timer_.async_wait([self = shared_from_this()](const error_code&) {
    if (!self->stopping_) self->Proceed();
  });
}

void Connection::Proceed() {
  if (exchange_.disturbance.fault == ServeFault::kResetBefore) return Reset();
  if (exchange_.disturbance.fault == ServeFault::kSlowDown)
    return Reply(Answer::Failed(S3Failure("SlowDown")));
  if (exchange_.operation == Operation::kUnknown) return Reply(Answer::Failed(S3Failure("NotImplemented")));
  const std::string* expect = exchange_.request.Header("expect");
  if (expect != nullptr && Lower(*expect) == "100-continue" && !parser_->is_done()) return Continue();
  ReadBody();
}

void Connection::Continue() {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  stream_.expires_after(endpoint_.options.idle_timeout);
  net::async_write(stream_, net::buffer(kContinue),
                   [self = shared_from_this()](const error_code& error, size_t) {
                     if (!error) self->ReadBody();
                   });
}

void Connection::ReadBody() {
  if (stopping_) return;
  if (parser_->is_done()) return TakesData(exchange_.operation) ? WriteUpload() : Serve();
  exchange_.block.resize(kBlock);
  auto& body = parser_->get().body();
  body.data = exchange_.block.data();
  body.size = exchange_.block.size();
  body.more = true;
  stream_.expires_after(endpoint_.options.idle_timeout);
  http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](const error_code& error, size_t) {
    self->OnBody(error, kBlock - self->parser_->get().body().size);
  });
}

void Connection::OnBody(const error_code& error, size_t size) {
  if (error && error != http::error::need_buffer) {
    if (IsHttpError(error)) Reply(Answer::Failed(FailureOf(error)));
    return;
  }
  endpoint_.counters.bytes_in.Add(size);
  exchange_.block.resize(size);
  if (TakesData(exchange_.operation)) return WriteUpload();
  if (exchange_.body.size() + size > kMaxDocument) return Reply(Answer::Failed(S3Failure("EntityTooLarge")));
  exchange_.body += exchange_.block;
  ReadBody();
}

// On a worker: opens the upload before the first block, writes the block, commits after the last one.
void Connection::WriteUpload() {
  const bool last = parser_->is_done();
  const bool submitted = endpoint_.workers.Submit([self = shared_from_this(), last] {
    Exchange& exchange = self->exchange_;  // the strand leaves it alone until the answer is posted
    Answer answer = Guard([&] {
      S3Handler& handler = self->endpoint_.handler;
      if (!exchange.upload) {
        exchange.upload =
            handler.OpenUpload(exchange.operation, exchange.request, std::move(exchange.signer));
      }
      exchange.upload->Write(
          {reinterpret_cast<const uint8_t*>(exchange.block.data()), exchange.block.size()});
      if (!last) return Answer();
      return handler.FinishUpload(exchange.operation, exchange.request, *exchange.upload);
    });
    const bool finished = last || answer.failure;
    if (finished) exchange.upload.reset();  // here, because it may clean up on disk
    self->Post([answer = std::move(answer), finished](Connection& connection) {
      finished ? connection.Reply(answer) : connection.ReadBody();
    });
  });
  if (!submitted) stream_.close();
}

void Connection::Serve() {
  const auto handle = [self = shared_from_this()] {
    self->endpoint_.handler.Handle(
        self->exchange_.operation, self->exchange_.request, self->exchange_.body, [self](Answer answer) {
          self->Post([answer = std::move(answer)](Connection& connection) { connection.Reply(answer); });
        });
  };
  if (!MayBlock(exchange_.operation)) return handle();
  if (!endpoint_.workers.Submit(handle)) stream_.close();
}

void Connection::Reply(Answer answer) {
  const bool whole = parser_->is_done();
  const bool keep_alive = whole && parser_->get().keep_alive() && !stopping_;
  if (answer.failure) {
    endpoint_.counters.failures.Add();
    endpoint_.options.log(
        LogLevel::kDebug,
        fmt::format("{} {}: {} {} (request id {})", exchange_.request.method, exchange_.request.path,
                    answer.failure->status(), answer.failure->code(), exchange_.id));
  }
  RenderedAnswer rendered = RenderAnswer(answer, exchange_.request.method == "HEAD", keep_alive,
                                         exchange_.request.path, exchange_.id, Clock::Real().WallNow());
  writer_.Send(std::move(rendered), std::move(answer.object), exchange_.disturbance.fault, shared_from_this(),
               [this, whole, keep_alive](AnswerWriter::End end) { OnReplied(end, whole, keep_alive); });
}

void Connection::OnReplied(AnswerWriter::End end, bool whole_request, bool keep_alive) {
  exchange_.disturbance.place.reset();
  switch (end) {
    case AnswerWriter::End::kSent:
      if (keep_alive) return ReadHead();
      return LingeringClose();
    case AnswerWriter::End::kClose:
      return whole_request ? stream_.close() : LingeringClose();
    case AnswerWriter::End::kReset:
      return Reset();
    case AnswerWriter::End::kUnsent:
      return Reply(Answer::Failed(S3Failure("InternalError")));
  }
}

// Closing with unread bytes would reset the connection and may take the answer from the client: it gets time
// to read.
void Connection::LingeringClose() {
  error_code ignored;
  stream_.socket().shutdown(net::ip::tcp::socket::shutdown_send, ignored);
  stream_.expires_after(kLinger);
  Discard(kMaxDiscarded);
}

void Connection::Discard(uint64_t left) {
  if (stopping_ || left == 0) return stream_.close();
  exchange_.block.resize(kReadBuffer);
  stream_.async_read_some(net::buffer(exchange_.block),
                          [self = shared_from_this(), left](const error_code& error, size_t size) {
                            if (!error) self->Discard(left - std::min<uint64_t>(left, size));
                          });
}

void Connection::Reset() {
  error_code ignored;
  stream_.socket().set_option(net::socket_base::linger(true, 0), ignored);
  stream_.close();
}

}  // namespace bucketline::serve
