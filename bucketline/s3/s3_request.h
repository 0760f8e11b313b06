// S3Request: what to ask of the bucket, before it is signed and addressed.
#pragma once

#include <string>

#include "bucketline/base/bytes.h"
#include "bucketline/http/transport.h"
#include "bucketline/s3/settings.h"
#include "bucketline/s3/sigv4.h"

namespace bucketline {

struct S3Request {
  std::string method = "GET";
  std::string key;    // "": the bucket itself
  StringPairs query;  // raw
  StringPairs headers;
  Bytes body;
  std::string payload_hash = std::string(kEmptyPayloadHash);  // of `body`
  std::string subject;            // the URI for messages; "" means that of the key
  bool if_absent = false;         // see S3ErrorContext
  bool completes_upload = false;  // the same
  bool optional = false;          // sent once, and only where there is room at once
  bool asks_for_region = false;   // a failure that tells it is an answer
};

// Adds If-None-Match: *.
void RequireAbsence(S3Request& request);

// Sets body and payload_hash.
void SetBody(S3Request& request, Bytes body);

// The request as it goes on the wire: addressed, and signed with `credentials` unless that is nullptr
// (anonymous).
HttpRequest BuildHttpRequest(const Place& place, bool requester_pays, const S3Request& request,
                             const Credentials* credentials, WallTime time, SigningKeyCache& keys);

}  // namespace bucketline
