// The two benches that the contract of HttpTransport is tested on: libcurl against a loopback server, and
// scripts.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include <gtest/gtest.h>

#include "bucketline/http/curl_transport.h"
#include "bucketline/http/exchange_test_util.h"
#include "bucketline/http/loopback_server_test_util.h"
#include "bucketline/http/scripted_transport.h"

namespace bucketline {

// A transport, and a way to say what its next requests are answered with.
class Bench {
 public:
  virtual ~Bench() = default;
  virtual HttpTransport& transport() = 0;
  virtual void DestroyTransport() = 0;
  virtual std::string Url() = 0;
  virtual void Answer(const ScriptedAnswer& answer) = 0;
};

class ScriptedBench : public Bench {
 public:
  HttpTransport& transport() override { return *transport_; }
  void DestroyTransport() override { transport_.reset(); }
  std::string Url() override { return "http://scripted/key"; }
  void Answer(const ScriptedAnswer& answer) override { transport_->Push(answer); }

 private:
  std::unique_ptr<ScriptedTransport> transport_ = std::make_unique<ScriptedTransport>();
};

class CurlBench : public Bench {
 public:
  HttpTransport& transport() override { return *transport_; }
  void DestroyTransport() override { transport_.reset(); }
  std::string Url() override { return server_.Url("/key"); }
  void Answer(const ScriptedAnswer& answer) override {
    const std::lock_guard lock(mutex_);
    answers_.push_back(answer);
  }

 private:
  void Serve(LoopbackConnection& connection) {
    while (connection.ReadRequest()) {
      ScriptedAnswer answer;
      {
        const std::lock_guard lock(mutex_);
        if (answers_.empty()) return;
        answer = answers_.front();
        answers_.pop_front();
      }
      std::string bytes;
      if (answer.head.status != 0) {
        bytes = "HTTP/1.1 " + std::to_string(answer.head.status) + " Reason\r\n";
        for (const auto& [name, value] : answer.head.headers.items()) bytes += name + ": " + value + "\r\n";
        bytes += "\r\n";
        if (!connection.head.starts_with("HEAD")) bytes += answer.body;
      }
      if (!connection.Write(bytes)) return;
      if (answer.hang) return connection.WaitForPeer();
      if (answer.head.content_length.value_or(0) > answer.body.size()) return;
    }
  }

  std::mutex mutex_;
  std::deque<ScriptedAnswer> answers_;
  LoopbackServer server_{[this](LoopbackConnection& connection) { Serve(connection); }};
  std::unique_ptr<HttpTransport> transport_ = MakeCurlTransport({.threads = 2});
};

template <typename BenchType>
class TransportTest : public testing::Test {
 protected:
  std::shared_ptr<Exchange> Start(HttpRequest request) {
    return Exchange::Start(transport(), std::move(request));
  }
  HttpTransport& transport() { return bench_.transport(); }
  HttpRequest Request(std::string method = "GET") {
    HttpRequest request = Get(bench_.Url());
    request.method = std::move(method);
    return request;
  }
  static ScriptedAnswer Hanging(ScriptedAnswer answer) {
    answer.hang = true;
    return answer;
  }
  // A whole head that promises more than comes.
  static ScriptedAnswer HangingInBody() {
    return Hanging(AnswerWith(200, "some", {{"Content-Length", "100"}}));
  }

  BenchType bench_;
};

using Benches = testing::Types<CurlBench, ScriptedBench>;

}  // namespace bucketline
