// Error: what went wrong, with which object, and what the user can do about it.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace bucketline {

// Each code is its own Python exception class and decides whether a retry may help (s3/retry_policy.h).
enum class ErrorCode {
  kInvalidArgument,    // the caller's input is wrong; trying again cannot help
  kNotFound,           // no such object, bucket or file
  kPermissionDenied,   // the store knows us and says no (403), or the file system does
  kUnauthenticated,    // no credentials, or the store does not know these
  kAlreadyExists,      // a conditional write found the object there
  kObjectChanged,      // the object is not the one that was listed (ETag, version or size differ)
  kThrottled,          // the store asks for fewer requests (503 SlowDown, 429)
  kUnavailable,        // the store failed on its side (5xx), or answered nonsense
  kConnection,         // name resolution, connect, TLS, reset
  kTimeout,            // a deadline passed
  kCorruptData,        // bytes are there but wrong: short body, bad checksum, undecodable image, bad record
  kResourceExhausted,  // a memory budget, disk or limit is too small for what was asked
  kCancelled,          // stopped on request
  kIo,                 // the local file system failed
  kUnsupported,        // a valid request that this store, format or build cannot serve
  kInternal,           // a bug in bucketline
};

// "NotFound", "Throttled", ...: stable names for logs, JSON and Python.
std::string_view ErrorCodeName(ErrorCode code);

// Thrown by synchronous calls, carried by Result<T> in asynchronous ones. Holds no secret.
class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message, std::string uri = {}, int http_status = 0,
        std::string request_id = {});

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }        // what happened and what to do; no uri in it
  const std::string& uri() const { return uri_; }                // the object concerned; may be empty
  int http_status() const { return http_status_; }               // 0: no HTTP answer
  const std::string& request_id() const { return request_id_; }  // the store's, for its support; may be empty

  // One line for a person: "uri: message (HTTP 403, request id ...)".
  const char* what() const noexcept override { return what_.c_str(); }

  // The same error, naming `uri` if it named none.
  Error WithUri(std::string_view uri) const;

 private:
  ErrorCode code_;
  std::string message_;
  std::string uri_;
  int http_status_;
  std::string request_id_;
  std::string what_;
};

}  // namespace bucketline
