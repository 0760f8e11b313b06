// Answer: what a request gets, before it is bytes on a wire.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bucketline/serve/s3_failure.h"
#include "bucketline/store/object_store.h"

namespace bucketline::serve {

// A body that is read from a store while it is sent.
struct ObjectBody {
  std::shared_ptr<ObjectStore> store;
  std::string key;
  std::string etag;  // of the state whose size was promised
  uint64_t offset = 0;
  uint64_t length = 0;
};

struct Answer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<ObjectBody> object;     // the body, instead of `body`
  std::optional<S3Failure> failure;     // an error document takes the body's place
  std::optional<uint64_t> head_length;  // to a HEAD: the Content-Length of the body that is not sent

  static Answer Failed(S3Failure failure) {
    Answer answer;
    answer.status = failure.status();
    answer.failure = std::move(failure);
    return answer;
  }
  static Answer Xml(std::string document) {
    Answer answer;
    answer.headers.emplace_back("Content-Type", "application/xml");
    answer.body = std::move(document);
    return answer;
  }
  static Answer Empty(int status) {
    Answer answer;
    answer.status = status;
    return answer;
  }
};

// Runs `f()`, which returns an Answer; what it throws becomes one too.
template <typename F>
Answer Guard(F&& f) {
  try {
    return std::forward<F>(f)();
  } catch (const S3Failure& failure) {
    return Answer::Failed(failure);
  } catch (const Error& error) {
    return Answer::Failed(FailureOf(error));
  } catch (const std::exception&) {
    return Answer::Failed(S3Failure("InternalError"));
  }
}

}  // namespace bucketline::serve
