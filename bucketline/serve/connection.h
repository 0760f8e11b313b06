// Connection: one client's socket; reads requests, has them served, sends the answers, one after the other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "bucketline/serve/answer_writer.h"
#include "bucketline/serve/endpoint.h"

namespace bucketline::serve {

// Lives as long as an operation on it runs. The io_context's run() goes on until every Connection is gone, so
// that callbacks of stores and workers always find it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::io_context& io, boost::asio::ip::tcp::socket socket, Endpoint& endpoint);
  ~Connection();

  void Start();
  void Stop();  // from any thread

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;

  // One request on its way.
  struct Exchange {
    Request request;
    Operation operation = Operation::kUnknown;
    std::string id;
    std::optional<ChunkSigner> signer;
    Disturbance disturbance;
    std::unique_ptr<Upload> upload;
    std::string body;   // of an operation that does not take data
    std::string block;  // of one that does: the piece being read or written
  };

  void ReadHead();
  void OnHead(const boost::system::error_code& error);
  void Admit();
  void Proceed();
  void Continue();
  void ReadBody();
  void OnBody(const boost::system::error_code& error, size_t size);
  void WriteUpload();
  void Serve();
  void Reply(Answer answer);
  void OnReplied(AnswerWriter::End end, bool whole_request, bool keep_alive);
  void LingeringClose();
  void Discard(uint64_t left);
  void Reset();
  void Post(std::function<void(Connection&)> what);

  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;  // first: released last
  Endpoint& endpoint_;
  boost::beast::tcp_stream stream_;
  boost::asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  Exchange exchange_;
  AnswerWriter writer_;
  bool stopping_ = false;
};

}  // namespace bucketline::serve
