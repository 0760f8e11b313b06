// Signs requests for python/tests/test_sigv4.py: one JSON object a line on stdin, one a line on stdout.
//   in:  method host path query [[n, v]...] headers [[n, v]...] payload_hash access_key_id secret_access_key
//        session_token region service time (seconds since 1970) [expires]
//   out: canonical_request string_to_sign authorization path_and_query, or presigned when "expires" is given
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "bucketline/s3/sigv4.h"

namespace {

bucketline::SigningInput ParseInput(const nlohmann::json& line) {
  bucketline::SigningInput input;
  input.method = line.at("method");
  input.host = line.at("host");
  input.path = line.at("path");
  input.query = line.at("query").get<bucketline::StringPairs>();
  input.headers = line.at("headers").get<bucketline::StringPairs>();
  input.payload_hash = line.at("payload_hash");
  input.credentials = {line.at("access_key_id"), line.at("secret_access_key"), line.at("session_token")};
  input.region = line.at("region");
  input.service = line.at("service");
  input.time = bucketline::WallTime(std::chrono::seconds(line.at("time").get<int64_t>()));
  return input;
}

}  // namespace

int main() {
  bucketline::SigningKeyCache keys;
  for (std::string text; std::getline(std::cin, text);) {
    const nlohmann::json line = nlohmann::json::parse(text);
    const bucketline::SigningInput input = ParseInput(line);
    nlohmann::json answer;
    if (line.contains("expires")) {
      answer["presigned"] = bucketline::Presign(input, std::chrono::seconds(line["expires"].get<int64_t>()));
    } else {
      const bucketline::SignedHeaders out = bucketline::Sign(input, keys);
      answer["canonical_request"] = out.canonical_request;
      answer["string_to_sign"] = out.string_to_sign;
      answer["authorization"] = out.authorization;
      answer["path_and_query"] = out.path_and_query;
    }
    std::cout << answer.dump() << std::endl;
  }
}
