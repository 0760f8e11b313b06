// CurlCall: one exchange, from a request to its outcome, on one easy handle.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "bucketline/http/call_deadlines.h"
#include "bucketline/http/curl_handles.h"
#include "bucketline/http/curl_transport.h"
#include "bucketline/http/response_head.h"
#include "bucketline/http/transport.h"

namespace bucketline {

// Made on any thread, then used by one loop's thread only. Stays where it is while libcurl knows its address.
class CurlCall {
 public:
  CurlCall(HttpRequest request, std::shared_ptr<HttpSink> sink, HttpTransport::Done done);

  // Sets up `easy` (fresh or reset) for this exchange and keeps it. `alarm` is the loop's next look at the
  // deadlines: it is brought forward whenever this call needs an earlier one; it must outlive the call.
  Result<void> Prepare(CurlEasy easy, const CurlTransportOptions& options, SteadyTime* alarm);

  // What `done` is to get once libcurl has ended the transfer with `code`.
  Result<HttpTiming> Outcome(CURLcode code);

  // This call's failure of its own: "host:port: text".
  Error Failure(ErrorCode code, std::string_view text) const;

  // Calls `done`: once, after the handle has left the multi handle.
  void Finish(Result<HttpTiming> result) noexcept;

  HttpTransport::CallId id() const { return id_; }
  void set_id(HttpTransport::CallId id) { id_ = id; }
  const CallDeadlines& deadlines() const { return deadlines_; }
  CURL* easy() const { return easy_.get(); }
  CurlEasy TakeEasy() { return std::move(easy_); }

  static CurlCall* Of(CURL* easy);

 private:
  // libcurl's callbacks; `self` is the CurlCall.
  static int OnConnected(void* self, char* remote_ip, char* local_ip, int remote_port, int local_port);
  static size_t OnHeaderLine(char* data, size_t size, size_t count, void* self);
  static size_t OnBodyData(char* data, size_t size, size_t count, void* self);
  static size_t OnBodyWanted(char* to, size_t size, size_t count, void* self);

  bool BuildHeaders();
  bool ChooseAddress(const CurlTransportOptions& options);
  bool KeepFailure(const Result<void>& verdict);  // true when there is none
  void BringAlarmForward();

  HttpTransport::CallId id_ = 0;
  const HttpRequest request_;
  const std::string authority_;
  std::shared_ptr<HttpSink> sink_;
  HttpTransport::Done done_;

  CallDeadlines deadlines_;
  SteadyTime* alarm_ = nullptr;
  ResponseHeadParser head_;
  HttpTiming timing_;
  size_t sent_ = 0;               // of the request's body
  bool asked_ = false;            // the request has gone out once
  std::optional<Error> failure_;  // why a callback ended the transfer
  std::array<char, CURL_ERROR_SIZE> curl_text_{};
  CurlList headers_;
  std::shared_ptr<AddressBook> addresses_;
  std::string address_;  // of the host, whose turn it was; "": libcurl's choice
  CurlList connect_to_;
  CurlEasy easy_;
};

}  // namespace bucketline
