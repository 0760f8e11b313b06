#include "bucketline/http/fetch.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include "bucketline/http/request_check.h"

namespace bucketline {
namespace {

class ReplySink : public HttpSink {
 public:
  ReplySink(std::string authority, size_t max_body) : authority_(std::move(authority)), max_body_(max_body) {}

  Result<void> OnHead(const HttpResponseHead& head) override {
    reply_.head = head;
    return {};
  }

  Result<void> OnBody(std::span<const uint8_t> data) override {
    if (data.size() > max_body_ - reply_.body.size()) {
      return Error(
          ErrorCode::kUnavailable,
          fmt::format("{} sent more than {} bytes, which no such answer has", authority_, max_body_));
    }
    reply_.body.append(reinterpret_cast<const char*>(data.data()), data.size());
    return {};
  }

  void End(Result<HttpTiming> result) {
    const std::lock_guard lock(mutex_);
    result_ = std::move(result);
    ended_.notify_all();
  }

  Result<HttpReply> Wait() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return result_.has_value(); });
    if (!*result_) return result_->error();
    return std::move(reply_);
  }

 private:
  const std::string authority_;
  const size_t max_body_;
  HttpReply reply_;  // the network thread's until the end
  std::mutex mutex_;
  std::condition_variable ended_;
  std::optional<Result<HttpTiming>> result_;
};

}  // namespace

Result<HttpReply> Fetch(HttpTransport& transport, HttpRequest request, std::stop_token stop,
                        size_t max_body) {
  const auto sink = std::make_shared<ReplySink>(AuthorityOf(request.url), max_body);
  const HttpTransport::CallId id = transport.Send(
      std::move(request), sink, [sink](Result<HttpTiming> result) { sink->End(std::move(result)); });
  const std::stop_callback cancel(stop, [&] { transport.Cancel(id); });
  return sink->Wait();
}

}  // namespace bucketline
