#include "bucketline/inspect/reach_checks.h"

#include <algorithm>
#include <memory>
#include <set>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include "bucketline/http/request_check.h"
#include "bucketline/s3/time_format.h"

namespace bucketline {
namespace {

using Status = DoctorCheck::Status;

constexpr Duration kRefusedSkew = std::chrono::minutes(15);  // beyond it S3 refuses a signature
constexpr Duration kCorrectedSkew = std::chrono::minutes(5);

// As a resolver takes it: without brackets.
std::string NameOf(std::string_view host_and_port) {
  std::string_view host = HostOf(host_and_port);
  if (host.starts_with('[')) host = host.substr(1, host.find(']') - 1);
  return std::string(host);
}

std::string AddressText(const addrinfo& info) {
  char text[INET6_ADDRSTRLEN] = {};
  const void* address =
      info.ai_family == AF_INET
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(info.ai_addr)->sin_addr)
          : &reinterpret_cast<const sockaddr_in6*>(info.ai_addr)->sin6_addr;
  return inet_ntop(info.ai_family, address, text, sizeof text) == nullptr ? "?" : text;
}

bool IsLocal(std::string_view host_and_port) {
  const std::string host = NameOf(host_and_port);
  return host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") || host == "::1";
}

}  // namespace

DoctorCheck CheckDns(const std::string& host_and_port) {
  const std::string host = NameOf(host_and_port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failure = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, [](addrinfo* info) {
    if (info != nullptr) freeaddrinfo(info);
  });
  if (failure != 0) {
    return {.name = "dns",
            .status = Status::kFailed,
            .value = fmt::format("{}: {}", host, gai_strerror(failure)),
            .advice = "check the endpoint's spelling, --region, and this machine's resolver"};
  }
  std::set<std::string> addresses;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next)
    addresses.insert(AddressText(*info));
  return {.name = "dns",
          .value = fmt::format("{}: {} address{}: {}", host, addresses.size(),
                               addresses.size() == 1 ? "" : "es", fmt::join(addresses, ", "))};
}

DoctorCheck CheckConnection(HttpTransport& transport, const S3Facts& facts, Duration patience,
                            std::stop_token stop, std::optional<HttpReply>& reply) {
  HttpRequest request;
  request.method = "HEAD";
  request.url = facts.endpoint_url + "/";
  request.deadlines = {.connect = patience, .first_byte = patience, .stall = patience, .total = patience};
  Result<HttpReply> answer = Fetch(transport, std::move(request), std::move(stop));
  DoctorCheck check{.name = "connection"};
  if (!answer) {
    check.status = Status::kFailed;
    check.value = answer.error().message();
    check.advice =
        "is the endpoint right and up? do a firewall, a proxy (HTTPS_PROXY, NO_PROXY) or the certificates "
        "(AWS_CA_BUNDLE) stand in the way?";
    return check;
  }
  reply = *std::move(answer);
  const bool tls = facts.endpoint_url.starts_with("https://");
  check.value = fmt::format("{}, answered HTTP {}", tls ? "TLS, the certificate is trusted" : "plain HTTP",
                            reply->head.status);
  if (!tls && !IsLocal(facts.host)) {
    check.status = Status::kWarning;
    check.advice = "the data travels in the clear; use https:// unless the network is your own";
  }
  return check;
}

DoctorCheck JudgeClock(const HttpReply& reply, WallTime now) {
  DoctorCheck check{.name = "clock"};
  const auto server = ParseHttpDate(reply.head.headers.Find("Date").value_or(""));
  if (!server) {
    check.value = "the store does not tell its time";
    return check;
  }
  const Duration off = now - *server;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::abs(off)).count();
  check.value = seconds < 2 ? "the store's and this machine's agree"
                            : fmt::format("this machine's is {} s {} the store's", seconds,
                                          off > Duration::zero() ? "ahead of" : "behind");
  if (std::chrono::abs(off) < kCorrectedSkew) return check;
  check.status = Status::kWarning;
  check.advice =
      std::chrono::abs(off) > kRefusedSkew
          ? "set the clock (NTP): signatures of this machine's time are refused; bucketline signs with the "
            "store's, other programs do not"
          : "set the clock (NTP)";
  return check;
}

}  // namespace bucketline
