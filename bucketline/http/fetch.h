// Fetch: one small HTTP exchange, waited for; for services that answer in a document.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>

#include "bucketline/http/transport.h"

namespace bucketline {

struct HttpReply {
  HttpResponseHead head;
  std::string body;
};

// Sends `request` once and waits, which its deadlines end. A complete answer is a success whatever its status. Fails as
// HttpTransport::Send does, kUnavailable when the body is longer than `max_body`, kCancelled soon after a stop request.
// Not for threads of the transport.
Result<HttpReply> Fetch(HttpTransport& transport, HttpRequest request, std::stop_token stop = {},
                        size_t max_body = size_t{1} << 20);

}  // namespace bucketline
