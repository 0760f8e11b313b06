#include "src/transform_hook.h"

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "src/conversion.h"
#include <nanobind/ndarray.h>

namespace nb = nanobind;

namespace bucketline::python {
namespace {

using Pixels = nb::ndarray<const uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

// A copy: Python may keep it, while the engine's memory is reused.
nb::object PixelCopy(const TransformField& field) {
  const auto height = static_cast<size_t>(field.height), width = static_cast<size_t>(field.width);
  auto copy = std::make_shared<std::vector<uint8_t>>(field.pixels.begin(), field.pixels.end());
  uint8_t* data = copy->data();
  return ArrayOn(data, {height, width, static_cast<size_t>(field.channels)}, KeepAlive(std::move(copy)));
}

nb::list Parts(const TransformSample& sample) {
  nb::list parts;
  for (const TransformField& field : sample.fields) {
    if (field.pixels.empty()) {
      parts.append(nb::bytes(field.bytes.data(), field.bytes.size()));
    } else {
      parts.append(PixelCopy(field));
    }
  }
  return parts;
}

thread_local nb::handle running;  // what this thread calls now

class Running {
 public:
  explicit Running(nb::handle call) : before_(std::exchange(running, call)) {}
  ~Running() { running = before_; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  const nb::handle before_;
};

// The Python side has checked types and shapes.
void TakePixels(const nb::list& arrays, TransformSample& sample) {
  for (size_t i = 0; i < sample.fields.size(); ++i) {
    if (arrays[i].is_none()) continue;
    const auto pixels = nb::cast<Pixels>(arrays[i]);
    std::memcpy(sample.fields[i].pixels.data(), pixels.data(), sample.fields[i].pixels.size());
  }
}

TransformResult Call(const nb::object& call, TransformSample& sample) {
  const Running mark(call);
  const nb::object result =
      call(sample.index, sample.epoch, sample.position, Text(sample.Key()), Parts(sample));
  if (result.is_none()) return TransformResult::Skip("the transform gave None for it");
  if (nb::isinstance<nb::list>(result)) {
    TakePixels(nb::cast<nb::list>(result), sample);
    return TransformResult::Keep();
  }
  return TransformResult::Value(Shared(nb::cast<nb::tuple>(result)[0]));
}

}  // namespace

std::shared_ptr<nb::object> Shared(nb::object object) {
  return {new nb::object(std::move(object)), [](nb::object* held) {
            // The interpreter may be gone: then so is what it would free.
            if (!Py_IsInitialized()) return static_cast<void>(held->release());
            const nb::gil_scoped_acquire acquired;
            delete held;
          }};
}

Transform TransformOf(nb::object call) {
  return [call = Shared(std::move(call))](TransformSample& sample) {
    const nb::gil_scoped_acquire acquired;
    return Call(*call, sample);
  };
}

bool InTransform() { return running.is_valid(); }

bool IsRunning(nb::handle call) { return call.is_valid() && running.is(call); }

nb::object ValueOf(const std::shared_ptr<void>& value) {
  return value == nullptr ? nb::none() : *std::static_pointer_cast<nb::object>(value);
}

}  // namespace bucketline::python
