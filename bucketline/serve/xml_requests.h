// The XML documents that clients send.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bucketline::serve {

struct DeleteRequest {
  bool quiet = false;
  std::vector<std::string> keys;  // 1 to 1,000
};

struct CompleteRequest {
  struct Part {
    int number;
    std::string etag;
  };
  std::vector<Part> parts;  // 1 to 10,000, as sent
};

// Both throw S3Failure MalformedXML.
DeleteRequest ParseDelete(std::string_view xml);
CompleteRequest ParseComplete(std::string_view xml);

}  // namespace bucketline::serve
