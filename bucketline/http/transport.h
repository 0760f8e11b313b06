// HttpTransport: sends one HTTP request once. Never retries, never follows redirects, never signs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bucketline/base/bytes.h"
#include "bucketline/base/clock.h"
#include "bucketline/base/result.h"

namespace bucketline {

// Header names compare without case; order and repetition are kept as they came.
class HttpHeaders {
 public:
  void Add(std::string name, std::string value) { items_.emplace_back(std::move(name), std::move(value)); }
  // The first value of `name`; nullopt when absent.
  std::optional<std::string_view> Find(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& items() const { return items_; }

 private:
  std::vector<std::pair<std::string, std::string>> items_;
};

// Counted from Send unless said otherwise. Zero means none.
struct HttpDeadlines {
  Duration connect = std::chrono::seconds(5);      // name resolution, TCP and TLS
  Duration first_byte = std::chrono::seconds(20);  // until the response's headers; with a body, from its end
  Duration stall = std::chrono::seconds(20);       // the longest time without a byte of either body
  Duration total = std::chrono::seconds(300);

  friend bool operator==(const HttpDeadlines&, const HttpDeadlines&) = default;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url = {};  // scheme://host[:port]/path?query, already percent-encoded; sent as it is
  // Host, Content-Length, Transfer-Encoding and Connection are the transport's own: left out if they are
  // given.
  HttpHeaders headers = {};
  Bytes body = {};  // sent with Content-Length for PUT and POST; the others have none
  HttpDeadlines deadlines = {};
  bool fresh_connection = false;  // do not reuse a kept connection (for retries)
  bool direct = false;            // past every proxy: for addresses that only this machine has
};

struct HttpResponseHead {
  int status = 0;
  HttpHeaders headers = {};
  std::optional<uint64_t> content_length = {};  // absent when chunked or unknown; the object's for HEAD
};

// Receives one response. Its calls come from one network thread, in order, and never after `done`.
// Whoever refuses (or throws) ends the exchange: `done` then gets that Error.
class HttpSink {
 public:
  virtual ~HttpSink() = default;
  // Once, with the final response's status line and headers, before any body.
  virtual Result<void> OnHead(const HttpResponseHead& head) = 0;
  // Any number of times. The bytes are the transport's: copy them to where they belong.
  virtual Result<void> OnBody(std::span<const uint8_t> data) = 0;
};

struct HttpTiming {
  Duration first_byte{0};  // until the response's headers
  Duration total{0};
  uint64_t body_bytes = 0;
  bool reused_connection = false;
};

// Thread-safe. Send and Cancel may be called from sinks and `done` as well; the destructor may not, and
// nobody else may be inside Send when it runs.
class HttpTransport {
 public:
  using CallId = uint64_t;
  using Done = std::function<void(Result<HttpTiming>)>;

  virtual ~HttpTransport() = default;

  // Never blocks. `done` is called exactly once, on a network thread and never inside Send; also on Cancel
  // and when the transport is destroyed (kCancelled). It must not throw. A complete exchange is a success
  // whatever its status. Failures: kConnection (resolve, connect, TLS, reset), kTimeout (naming the deadline
  // that passed), kCorruptData (the body is shorter than Content-Length, or a broken HTTP answer), the sink's
  // own Error, or kInvalidArgument (a malformed request, or an unreadable CA bundle). Messages name host and
  // port, never the query or a header: those may hold signatures. `sink` and the request's body live until
  // `done` has returned.
  virtual CallId Send(HttpRequest request, std::shared_ptr<HttpSink> sink, Done done) = 0;

  // Safe at any time, also after the end; `done` gets kCancelled if the exchange had not ended.
  virtual void Cancel(CallId id) = 0;
};

}  // namespace bucketline
