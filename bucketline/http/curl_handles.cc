#include "bucketline/http/curl_handles.h"

#include <mutex>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

// libcurl must be initialised once per process, and not by two threads at once (builds without its
// thread-safe flag, and OpenSSL's part, are not up to that). It is never cleaned up: another user in the
// process may still need it. This once_flag is the one piece of global state in the module, as the library's
// own state is.
void InitialiseCurl() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
      throw Error(ErrorCode::kInternal, "libcurl cannot be initialised");
    }
  });
}

template <typename Handle>
Handle NotNull(Handle handle) {
  if (handle == nullptr) {
    throw Error(ErrorCode::kResourceExhausted,
                "libcurl cannot make a handle: out of memory or file descriptors (raise ulimit -n)");
  }
  return handle;
}

}  // namespace

CurlEasy MakeCurlEasy() {
  InitialiseCurl();
  return NotNull(CurlEasy(curl_easy_init()));
}

CurlMulti MakeCurlMulti() {
  InitialiseCurl();
  return NotNull(CurlMulti(curl_multi_init()));
}

}  // namespace bucketline
