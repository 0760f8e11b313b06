// CurlTransport: HttpTransport on libcurl's multi interface.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "bucketline/base/clock.h"
#include "bucketline/http/address_book.h"
#include "bucketline/http/transport.h"

namespace bucketline {

struct CurlTransportOptions {
  size_t threads = 1;  // network threads, each with its own connection pool
  size_t connections_per_thread =
      256;  // kept alive at most; keep at or above the peak of concurrent requests
  Duration idle_close =
      std::chrono::seconds(20);  // an unused connection is not reused, and not kept, after this
  std::string ca_bundle = {};    // PEM file, the only one trusted; empty: libcurl's default
  std::string user_agent = "bucketline";
  // Spreads connections over all addresses of a host. Empty: one of the system's, or none where a proxy is set, whose
  // business that is.
  std::shared_ptr<AddressBook> addresses = {};
};

// HTTP/1.1, TLS 1.2 or newer and verified, proxies from the usual environment variables. Threads start with
// the first Send. Throws kInvalidArgument when a count is zero, kResourceExhausted without memory or file
// descriptors.
std::unique_ptr<HttpTransport> MakeCurlTransport(CurlTransportOptions options = {});

}  // namespace bucketline
