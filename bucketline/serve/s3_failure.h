// S3Failure: an error as S3 names it; thrown while a request is parsed, authenticated and served.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bucketline/base/error.h"

namespace bucketline::serve {

class S3Failure : public std::exception {
 public:
  // `details` become elements of the error document, after the message. An unknown code gets status 500.
  explicit S3Failure(std::string code, std::string message = {},
                     std::vector<std::pair<std::string, std::string>> details = {});

  const std::string& code() const { return code_; }
  const std::string& message() const { return message_; }  // S3's usual sentence when none was given
  const std::vector<std::pair<std::string, std::string>>& details() const { return details_; }
  int status() const { return status_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string code_;
  std::string message_;
  std::vector<std::pair<std::string, std::string>> details_;
  int status_;
};

// What a store's error is called in S3. Paths of the store's machine do not show.
S3Failure FailureOf(const Error& error);

}  // namespace bucketline::serve
