#include "bucketline/s3/s3_request.h"

#include "bucketline/s3/percent_encoding.h"

namespace bucketline {

void RequireAbsence(S3Request& request) {
  request.if_absent = true;
  request.headers.emplace_back("If-None-Match", "*");
}

void SetBody(S3Request& request, Bytes body) {
  request.payload_hash = Hex(Sha256(body.view()));
  request.body = std::move(body);
}

HttpRequest BuildHttpRequest(const Place& place, bool requester_pays, const S3Request& request,
                             const Credentials* credentials, WallTime time, SigningKeyCache& keys) {
  SigningInput input;
  input.method = request.method;
  input.host = place.endpoint.host;
  input.path = place.endpoint.PathOf(request.key);
  input.query = request.query;
  input.headers = request.headers;
  if (requester_pays) input.headers.emplace_back("x-amz-request-payer", "requester");

  HttpRequest http;
  http.method = request.method;
  http.body = request.body;
  if (credentials == nullptr) {
    const std::string query = CanonicalQuery(input.query);
    http.url = place.endpoint.Url() + EncodePath(input.path) + (query.empty() ? "" : "?" + query);
    for (auto& [name, value] : input.headers) http.headers.Add(std::move(name), std::move(value));
    return http;
  }
  input.payload_hash = request.payload_hash;
  input.credentials = *credentials;
  input.region = place.region;
  input.time = time;
  SignedHeaders signature = Sign(input, keys);
  http.url = place.endpoint.Url() + signature.path_and_query;
  for (auto& [name, value] : signature.headers) http.headers.Add(std::move(name), std::move(value));
  return http;
}

}  // namespace bucketline
