// Endpoint: where a bucket's requests go.
#pragma once

#include <string>
#include <string_view>

namespace bucketline {

// How a bucket is named in a request.
enum class Addressing {
  kAuto,  // at AWS virtual hosts where the bucket's name allows it (a dot would break the TLS wildcard, capitals the
          // host name), else paths; elsewhere paths, which every store knows
  kPath,     // http://host/bucket/key
  kVirtual,  // http://bucket.host/key
};

struct Endpoint {
  std::string scheme;  // "http" or "https"
  std::string
      host;  // lower case; with ":port" unless it is the scheme's own; what is signed and sent as Host
  std::string bucket_path;  // what stands before "/key", raw: "" (virtual host), "/bucket" or "/base/bucket"

  std::string Url() const { return scheme + "://" + host; }
  // Raw path of a key; of the bucket itself when `key` is empty.
  std::string PathOf(std::string_view key) const;
};

// `url` in parts; its path, without a slash at the end, is the result's bucket_path. Throws kInvalidArgument naming what
// is malformed.
Endpoint ParseEndpointUrl(std::string_view url);

// AWS when `endpoint_url` is empty. Throws kInvalidArgument naming what is malformed, or what cannot be a virtual host.
Endpoint MakeEndpoint(std::string_view endpoint_url, std::string_view region, std::string_view bucket,
                      Addressing addressing = Addressing::kAuto);

}  // namespace bucketline
