// CurlTransport: HttpTransport on libcurl's multi interface.
#pragma once

#include <memory>
#include <string>

#include "bucketline/http/transport.h"

namespace bucketline {

struct CurlTransportOptions {
  size_t threads = 1;                   // network threads, each with its own connection pool
  size_t connections_per_thread = 256;  // kept alive at most; keep at or above the peak of concurrent requests
  std::string ca_bundle;                // PEM file; empty: the system's
  std::string user_agent = "bucketline";
};

// HTTP/1.1, TLS verified, proxies from the usual environment variables. Threads start with the first Send.
std::unique_ptr<HttpTransport> MakeCurlTransport(CurlTransportOptions options = {});

}  // namespace bucketline
