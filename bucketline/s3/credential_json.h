// The JSON documents in which services hand out credentials.
#pragma once

#include <string>
#include <string_view>

#include "bucketline/http/fetch.h"
#include "bucketline/s3/credentials.h"

namespace bucketline {

// {"AccessKeyId": ..., "SecretAccessKey": ..., "<token>": ..., "Expiration": "2026-01-01T00:00:00Z"}; the last two may
// be missing. Throws kUnavailable, naming `source` and never quoting the document.
Credentials ParseCredentialJson(std::string_view json, const char* token, std::string_view source);

// A refusal: worth another try for 5xx and 429, else for a person. `advice` ends the message.
Error ServiceRefusal(std::string_view source, int status, std::string_view advice = "");

}  // namespace bucketline
