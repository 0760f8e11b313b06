#include "bucketline/http/curl_call.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "bucketline/http/curl_error.h"
#include "bucketline/http/request_check.h"
#include "bucketline/http/sink_call.h"

namespace bucketline {
namespace {

// libcurl before 8.7 allocates it for each transfer. From 128 KiB on malloc maps and unmaps it every time, which tripled
// the CPU of a request; from 64 KiB on each free tidies the whole heap up, and gives of it back to the system.
constexpr long kReceiveBuffer = 60 << 10;

constexpr long kMaxConnectionSeconds =
    300;  // a new connection resolves the name again and so spreads over servers
constexpr long kKeepaliveSeconds = 60;

SteadyTime Now() { return std::chrono::steady_clock::now(); }

// Remembers the first option that libcurl refuses.
class OptionSetter {
 public:
  explicit OptionSetter(CURL* easy) : easy_(easy) {}
  template <typename Value>
  void operator()(CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(easy_, option, value);
    if (first_failure_ == CURLE_OK) first_failure_ = code;
  }
  CURLcode first_failure() const { return first_failure_; }

 private:
  CURL* easy_;
  CURLcode first_failure_ = CURLE_OK;
};

// libcurl's own connect limit only serves to divide the time among a host's addresses; the deadline itself is
// ours.
long ConnectMilliseconds(Duration connect) {
  if (connect <= Duration::zero()) return INT_MAX;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(connect).count();
  return static_cast<long>(std::min<int64_t>(ms, INT_MAX));
}

void SetConnection(OptionSetter& set, const CurlTransportOptions& options, const HttpRequest& request) {
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_BUFFERSIZE, kReceiveBuffer);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_KEEPIDLE, kKeepaliveSeconds);
  set(CURLOPT_TCP_KEEPINTVL, kKeepaliveSeconds);
  const auto idle = std::chrono::duration_cast<std::chrono::seconds>(options.idle_close).count();
  set(CURLOPT_MAXAGE_CONN, static_cast<long>(std::max<int64_t>(idle, 1)));
  set(CURLOPT_MAXLIFETIME_CONN, kMaxConnectionSeconds);
  set(CURLOPT_CONNECTTIMEOUT_MS, ConnectMilliseconds(request.deadlines.connect));
  set(CURLOPT_FRESH_CONNECT, long{request.fresh_connection});
  if (request.direct) set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  if (!options.ca_bundle.empty()) {
    set(CURLOPT_CAINFO, options.ca_bundle.c_str());
    set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  }
#if LIBCURL_VERSION_NUM >= 0x075700
  set(CURLOPT_QUICK_EXIT, 1L);  // cancelling while a name is being resolved must not block the loop
#endif
}

void SetMethod(OptionSetter& set, const HttpRequest& request) {
  if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
    return;
  }
  if (request.method == "PUT" || request.method == "POST") {
    // An upload for both: a libcurl "POST" would invent a Content-Type, which nobody signed.
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  if (request.method != "GET") set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

}  // namespace

CurlCall::CurlCall(HttpRequest request, std::shared_ptr<HttpSink> sink, HttpTransport::Done done)
    : request_(std::move(request)),
      authority_(AuthorityOf(request_.url)),
      sink_(std::move(sink)),
      done_(std::move(done)),
      deadlines_(request_.deadlines, Now()) {}

CurlCall* CurlCall::Of(CURL* easy) {
  char* call = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
  return reinterpret_cast<CurlCall*>(call);
}

Result<void> CurlCall::Prepare(CurlEasy easy, const CurlTransportOptions& options, SteadyTime* alarm) {
  easy_ = std::move(easy);
  alarm_ = alarm;
  if (auto valid = CheckRequest(request_); !valid) return valid;
  if (!BuildHeaders() || !ChooseAddress(options))
    return Failure(ErrorCode::kResourceExhausted, "out of memory for the request's headers");

  OptionSetter set(easy_.get());
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  set(CURLOPT_ERRORBUFFER, curl_text_.data());
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);  // keys may hold "..", and the signature covers the path as given
  set(CURLOPT_HTTPHEADER, headers_.get());
  if (connect_to_) set(CURLOPT_CONNECT_TO, connect_to_.get());
  set(CURLOPT_USERAGENT, options.user_agent.c_str());
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);  // a proxy's answer to CONNECT is not the response
  SetConnection(set, options, request_);
  SetMethod(set, request_);

  set(CURLOPT_PREREQFUNCTION, &OnConnected);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &OnHeaderLine);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &OnBodyData);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_READFUNCTION, &OnBodyWanted);
  set(CURLOPT_READDATA, static_cast<void*>(this));
  if (set.first_failure() != CURLE_OK)
    return ErrorFromCurl(set.first_failure(), curl_text_.data(), authority_);
  BringAlarmForward();
  return {};
}

bool CurlCall::ChooseAddress(const CurlTransportOptions& options) {
  addresses_ = options.addresses;
  if (addresses_ == nullptr) return true;
  const auto address = addresses_->Next(std::string(HostOf(authority_)));
  if (!address) return true;
  address_ = *address;
  // Kept connections are told apart by it, so each address has its own.
  connect_to_.reset(curl_slist_append(nullptr, fmt::format("::{}:", address_).c_str()));
  return connect_to_ != nullptr;
}

bool CurlCall::BuildHeaders() {
  const auto append = [this](const std::string& line) {
    curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) return false;
    [[maybe_unused]] const curl_slist* within = headers_.release();  // `longer` has it
    headers_.reset(longer);
    return true;
  };
  // "Name:" means to libcurl that it shall not add its own; "Name;" is a header without a value.
  for (const char* name : {"Accept", "Expect"}) {
    if (!request_.headers.Find(name) && !append(fmt::format("{}:", name))) return false;
  }
  for (const auto& [name, value] : request_.headers.items()) {
    if (IsTransportHeader(name)) continue;
    if (!append(value.empty() ? name + ";" : fmt::format("{}: {}", name, value))) return false;
  }
  return true;
}

Result<HttpTiming> CurlCall::Outcome(CURLcode code) {
  if (failure_) return *failure_;
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return Failure(ErrorCode::kTimeout, ConnectDeadlineText(request_.deadlines.connect));
  }
  if (code == CURLE_OUT_OF_MEMORY && asked_ && !head_.complete()) {
    // libcurl refuses header lines above 100 KiB with this code and no text.
    return Failure(ErrorCode::kCorruptData, "a header line of the response is too long");
  }
  if (code != CURLE_OK) return ErrorFromCurl(code, curl_text_.data(), authority_);
  if (!head_.complete())
    return Failure(ErrorCode::kCorruptData, "the connection ended before the final response");

  const HttpResponseHead& head = head_.head();
  const bool has_body = request_.method != "HEAD" && head.status != 204 && head.status != 304;
  if (has_body && head.content_length.value_or(timing_.body_bytes) != timing_.body_bytes) {
    return Failure(ErrorCode::kCorruptData, fmt::format("the body ended after {} of {} bytes",
                                                        timing_.body_bytes, *head.content_length));
  }
  long connections = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &connections);
  timing_.reused_connection = connections == 0;
  timing_.total = Now() - deadlines_.start();
  return timing_;
}

Error CurlCall::Failure(ErrorCode code, std::string_view text) const {
  return Error(code, fmt::format("{}: {}", authority_, text));
}

void CurlCall::Finish(Result<HttpTiming> result) noexcept {
  const bool nobody_there =
      !address_.empty() && !asked_ && !result &&
      (result.error().code() == ErrorCode::kConnection || result.error().code() == ErrorCode::kTimeout);
  if (nobody_there) addresses_->Failed(std::string(HostOf(authority_)), address_);
  done_(std::move(result));
}

bool CurlCall::KeepFailure(const Result<void>& verdict) {
  if (!verdict) failure_ = verdict.error();
  return verdict.ok();
}

void CurlCall::BringAlarmForward() { *alarm_ = std::min(*alarm_, deadlines_.Next()); }

int CurlCall::OnConnected(void* self, char*, char*, int, int) {
  auto& call = *static_cast<CurlCall*>(self);
  if (std::exchange(call.asked_, true)) {
    // libcurl would send the request again on a new connection. Whether that is safe is not for us to decide.
    call.failure_ =
        call.Failure(ErrorCode::kConnection, "the server closed a kept connection without an answer");
    return CURL_PREREQFUNC_ABORT;
  }
  call.deadlines_.Connected(Now(), !call.request_.body.empty());
  call.BringAlarmForward();
  return CURL_PREREQFUNC_OK;
}

size_t CurlCall::OnHeaderLine(char* data, size_t size, size_t count, void* self) {
  auto& call = *static_cast<CurlCall*>(self);
  const std::string_view line(data, size * count);
  const Result<bool> complete = call.head_.AddLine(line);
  if (!complete) {
    call.failure_ = call.Failure(complete.error().code(), complete.error().message());
    return 0;
  }
  if (!*complete) return line.size();
  const SteadyTime now = Now();
  call.timing_.first_byte = now - call.deadlines_.start();
  call.deadlines_.HeadArrived(now);
  call.BringAlarmForward();
  return call.KeepFailure(CallSink([&] { return call.sink_->OnHead(call.head_.head()); })) ? line.size() : 0;
}

size_t CurlCall::OnBodyData(char* data, size_t size, size_t count, void* self) {
  auto& call = *static_cast<CurlCall*>(self);
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(data), size * count);
  call.deadlines_.ReceivedBytes(Now());
  call.timing_.body_bytes += bytes.size();
  return call.KeepFailure(CallSink([&] { return call.sink_->OnBody(bytes); })) ? bytes.size() : 0;
}

size_t CurlCall::OnBodyWanted(char* to, size_t size, size_t count, void* self) {
  auto& call = *static_cast<CurlCall*>(self);
  const Bytes& body = call.request_.body;
  const size_t length = std::min(size * count, body.size() - call.sent_);
  if (length > 0) std::memcpy(to, body.data() + call.sent_, length);
  call.sent_ += length;
  const SteadyTime now = Now();
  call.deadlines_.SentBytes(now);
  if (call.sent_ == body.size()) call.deadlines_.SentAll(now);
  call.BringAlarmForward();
  return length;
}

}  // namespace bucketline
