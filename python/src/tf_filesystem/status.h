// Status: how a call from TensorFlow ends, said in TensorFlow's words.
#pragma once

#include <type_traits>
#include <utility>

#include "src/tf_filesystem/plugin_abi.h"

#include "bucketline/base/error.h"
#include "bucketline/base/result.h"

namespace bucketline::tf {

enum class StatusCode : int {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

StatusCode CodeOf(ErrorCode code);

// Finds TensorFlow's TF_SetStatus in this process; false when there is none. Before any other use of this header.
bool FindStatusFunctions();

void SetStatus(Status* status, StatusCode code, const char* message);

// `work()`, whose exceptions become the status. Gives what it gives, or `failed`.
template <typename Work, typename Value>
Value Tell(Status* status, Value failed, Work work) {
  auto outcome = Catch([&]() -> Value { return work(); });
  if (outcome.ok()) {
    SetStatus(status, StatusCode::kOk, "");
    return std::move(outcome).ValueOrThrow();
  }
  SetStatus(status, CodeOf(outcome.error().code()), outcome.error().what());
  return failed;
}

template <typename Work>
void Tell(Status* status, Work work) {
  Tell(status, true, [&] {
    work();
    return true;
  });
}

}  // namespace bucketline::tf
