// CallSink: how a transport calls its sink.
#pragma once

#include <utility>

#include "bucketline/base/result.h"

namespace bucketline {

// A sink refuses by returning an Error or by throwing one; neither may unwind through a transport (libcurl is
// C).
template <typename F>
Result<void> CallSink(F&& f) noexcept {
  Result<Result<void>> verdict = Catch(std::forward<F>(f));
  return verdict.ok() ? *verdict : Result<void>(verdict.error());
}

}  // namespace bucketline
