#include "bucketline/http/curl_transport.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstdlib>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/http/curl_call.h"
#include "bucketline/http/curl_loop.h"

namespace bucketline {
namespace {

// The remainder of a CallId by the number of loops tells its loop.
class CurlTransport : public HttpTransport {
 public:
  explicit CurlTransport(const CurlTransportOptions& options) {
    for (size_t i = 0; i < options.threads; ++i) {
      loops_.push_back(std::make_unique<CurlLoop>(options, fmt::format("bl-http-{}", i)));
    }
  }

  ~CurlTransport() override {
    // Stop all before waiting for any: a callback on one loop may still send through another.
    for (auto& loop : loops_) loop->Stop();
    for (auto& loop : loops_) loop->Join();
  }

  CallId Send(HttpRequest request, std::shared_ptr<HttpSink> sink, Done done) override {
    const auto least = std::ranges::min_element(loops_, {}, [](const auto& loop) { return loop->load(); });
    const size_t first = static_cast<size_t>(least - loops_.begin());
    // A loop refuses only while the transport is closing; then whoever may still call is a callback, and its
    // own loop has not ended.
    auto call = std::make_unique<CurlCall>(std::move(request), std::move(sink), std::move(done));
    for (size_t i = 0; i < loops_.size(); ++i) {
      const size_t index = (first + i) % loops_.size();
      const CallId id = next_++ * loops_.size() + index;
      call->set_id(id);
      if (loops_[index]->Submit(call)) return id;
    }
    assert(!"Send on a closed transport");
    return 0;
  }

  void Cancel(CallId id) override { loops_[id % loops_.size()]->Cancel(id); }

 private:
  std::vector<std::unique_ptr<CurlLoop>> loops_;
  std::atomic<CallId> next_{1};
};

// What libcurl itself obeys. To a proxy, an address to connect to is one to tunnel to.
bool HasProxy() {
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return true;
  }
  return false;
}

}  // namespace

std::unique_ptr<HttpTransport> MakeCurlTransport(CurlTransportOptions options) {
  if (options.threads == 0 || options.connections_per_thread == 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "a transport needs at least one thread and one connection per thread");
  }
  if (options.addresses == nullptr && !HasProxy()) options.addresses = std::make_shared<AddressBook>();
  return std::make_unique<CurlTransport>(options);
}

}  // namespace bucketline
