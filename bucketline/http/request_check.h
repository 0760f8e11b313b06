// What a request must look like before any byte of it goes on the wire.
#pragma once

#include <string>
#include <string_view>

#include "bucketline/base/result.h"
#include "bucketline/http/transport.h"

namespace bucketline {

// "host:port" or "host" of a URL, for messages: never user, path or query.
std::string AuthorityOf(std::string_view url);

// The host of an authority, an IPv6 address with its brackets.
std::string_view HostOf(std::string_view authority);

// kInvalidArgument when the method is no token, the URL is not an http or https one, holds a user name or is
// not percent-encoded, a header could break out of its line, or a body is given to other than PUT and POST.
Result<void> CheckRequest(const HttpRequest& request);

// Whether the transport makes this header itself, so that the caller's is left out.
bool IsTransportHeader(std::string_view name);

}  // namespace bucketline
