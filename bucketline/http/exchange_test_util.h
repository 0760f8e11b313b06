// Exchange: sends one request and waits for its end, checking the transport's contract on the way.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "bucketline/http/transport.h"

namespace bucketline {

// What one exchange came to. Every violation of "in order, never after `done`, `done` exactly once" fails the
// test.
class Exchange : public HttpSink, public std::enable_shared_from_this<Exchange> {
 public:
  static constexpr std::chrono::seconds kPatience{120};

  static std::shared_ptr<Exchange> Make() { return std::make_shared<Exchange>(); }
  static std::shared_ptr<Exchange> Start(HttpTransport& transport, HttpRequest request) {
    auto exchange = Make();
    exchange->SendOn(transport, std::move(request));
    return exchange;
  }

  HttpTransport::CallId SendOn(HttpTransport& transport, HttpRequest request) {
    SetSender(std::this_thread::get_id());
    const auto id = transport.Send(
        std::move(request), shared_from_this(),
        [self = shared_from_this()](Result<HttpTiming> result) { self->OnDone(std::move(result)); });
    SetSender({});
    return id;
  }

  // The result; a failure of the test, and kInternal, if `done` never came.
  Result<HttpTiming> Wait() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [this] { return result_.has_value(); })) {
      ADD_FAILURE() << "done was never called";
      return Error(ErrorCode::kInternal, "done was never called");
    }
    return *result_;
  }
  // Waits until the response's head, or the first piece of its body, is here.
  void WaitForHead() {
    WaitUntil([this] { return heads_ > 0 || result_.has_value(); });
  }
  void WaitForBody() {
    WaitUntil([this] { return !body_.empty() || result_.has_value(); });
  }

  HttpResponseHead head() const {
    const std::lock_guard lock(mutex_);
    return head_;
  }
  std::string body() const {
    const std::lock_guard lock(mutex_);
    return body_;
  }
  int heads() const {
    const std::lock_guard lock(mutex_);
    return heads_;
  }
  int dones() const {
    const std::lock_guard lock(mutex_);
    return dones_;
  }

  // Set before Start: what the sink answers, and what `done` does besides.
  std::function<Result<void>(const HttpResponseHead&)> on_head;
  std::function<Result<void>(std::span<const uint8_t>)> on_body;
  std::function<void(const Result<HttpTiming>&)> on_done;

  Result<void> OnHead(const HttpResponseHead& head) override {
    {
      const std::lock_guard lock(mutex_);
      EXPECT_EQ(dones_, 0) << "OnHead after done";
      EXPECT_EQ(++heads_, 1) << "OnHead twice";
      head_ = head;
    }
    changed_.notify_all();
    return on_head ? on_head(head) : Result<void>();
  }
  Result<void> OnBody(std::span<const uint8_t> data) override {
    {
      const std::lock_guard lock(mutex_);
      EXPECT_EQ(dones_, 0) << "OnBody after done";
      EXPECT_EQ(heads_, 1) << "OnBody before OnHead";
      body_.append(reinterpret_cast<const char*>(data.data()), data.size());
    }
    changed_.notify_all();
    return on_body ? on_body(data) : Result<void>();
  }

 private:
  void SetSender(std::thread::id thread) {
    const std::lock_guard lock(mutex_);
    inside_send_ = thread;
  }
  void OnDone(Result<HttpTiming> result) {
    if (on_done) on_done(result);
    {
      const std::lock_guard lock(mutex_);
      EXPECT_NE(inside_send_, std::this_thread::get_id()) << "done inside Send";
      EXPECT_EQ(++dones_, 1) << "done twice";
      result_.emplace(std::move(result));
    }
    changed_.notify_all();
  }
  void WaitUntil(const std::function<bool()>& ready) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, ready)) << "nothing came";
  }
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  HttpResponseHead head_;
  std::string body_;
  int heads_ = 0;
  int dones_ = 0;
  std::thread::id inside_send_;
  std::optional<Result<HttpTiming>> result_;
};

inline HttpRequest Get(std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  return request;
}

inline HttpRequest WithBody(std::string method, std::string url, std::string_view body) {
  HttpRequest request = Get(std::move(url));
  request.method = std::move(method);
  request.body = Bytes::Copy(body);
  return request;
}

}  // namespace bucketline
