#include "src/tf_filesystem/status.h"

#include <dlfcn.h>

namespace bucketline::tf {
namespace {

using SetStatusFunction = void (*)(Status*, int code, const char* message);
SetStatusFunction set_status = nullptr;

}  // namespace

StatusCode CodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return StatusCode::kInvalidArgument;
    case ErrorCode::kNotFound:
      return StatusCode::kNotFound;
    case ErrorCode::kPermissionDenied:
      return StatusCode::kPermissionDenied;
    case ErrorCode::kUnauthenticated:
      return StatusCode::kUnauthenticated;
    case ErrorCode::kAlreadyExists:
      return StatusCode::kAlreadyExists;
    case ErrorCode::kObjectChanged:
      return StatusCode::kFailedPrecondition;
    case ErrorCode::kThrottled:
    case ErrorCode::kUnavailable:
    case ErrorCode::kConnection:
      return StatusCode::kUnavailable;
    case ErrorCode::kTimeout:
      return StatusCode::kDeadlineExceeded;
    case ErrorCode::kCorruptData:
      return StatusCode::kDataLoss;
    case ErrorCode::kResourceExhausted:
      return StatusCode::kResourceExhausted;
    case ErrorCode::kCancelled:
      return StatusCode::kCancelled;
    case ErrorCode::kIo:
      return StatusCode::kUnknown;
    case ErrorCode::kUnsupported:
      return StatusCode::kUnimplemented;
    case ErrorCode::kInternal:
      return StatusCode::kInternal;
  }
  return StatusCode::kInternal;
}

bool FindStatusFunctions() {
  void* found = dlsym(RTLD_DEFAULT, "TF_SetStatus");
  if (found == nullptr) {  // TensorFlow was loaded for itself only
    void* framework = dlopen("libtensorflow_framework.so.2", RTLD_LAZY | RTLD_NOLOAD);
    if (framework != nullptr) found = dlsym(framework, "TF_SetStatus");
  }
  set_status = reinterpret_cast<SetStatusFunction>(found);
  return found != nullptr;
}

void SetStatus(Status* status, StatusCode code, const char* message) {
  set_status(status, static_cast<int>(code), message);
}

}  // namespace bucketline::tf
