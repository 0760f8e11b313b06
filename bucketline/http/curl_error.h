// From libcurl's result codes to bucketline's.
#pragma once

#include <string_view>

#include <curl/curl.h>

#include "bucketline/base/error.h"

namespace bucketline {

// `detail` is libcurl's own text for this transfer (may be empty), `authority` the "host:port" the message
// names. Precondition: code is neither CURLE_OK nor one that a callback of ours caused.
Error ErrorFromCurl(CURLcode code, std::string_view detail, std::string_view authority);

}  // namespace bucketline
