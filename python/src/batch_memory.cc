#include "src/batch_memory.h"

#include <cstdint>
#include <utility>

#include "src/transform_hook.h"
#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace nb = nanobind;

namespace bucketline::python {

std::function<std::shared_ptr<void>(size_t bytes)> AllocatorOf(nb::object call) {
  return [call = Shared(std::move(call))](size_t bytes) {
    const nb::gil_scoped_acquire acquired;
    try {
      nb::object memory = (*call)(bytes);
      // NOLINTNEXTLINE(performance-no-int-to-ptr): torch gives the address as a number.
      auto* data = reinterpret_cast<void*>(nb::cast<uintptr_t>(memory.attr("data_ptr")()));
      return std::shared_ptr<void>(Shared(std::move(memory)), data);
    } catch (const nb::python_error& error) {
      throw Error(ErrorCode::kResourceExhausted,
                  fmt::format("no memory for a batch of {} bytes: {}", bytes, error.what()));
    }
  };
}

}  // namespace bucketline::python
