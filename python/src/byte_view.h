// ByteView: the bytes of anything that has Python's buffer protocol, for as long as the view lives.
#pragma once

#include <cstdint>
#include <span>

#include <nanobind/nanobind.h>

namespace bucketline::python {

// No copy. Made and destroyed with the GIL; may be read without it, while nobody writes to the object.
class ByteView {
 public:
  explicit ByteView(nanobind::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_SIMPLE) != 0) throw nanobind::python_error();
  }
  ~ByteView() { PyBuffer_Release(&view_); }
  ByteView(const ByteView&) = delete;
  ByteView& operator=(const ByteView&) = delete;

  std::span<const uint8_t> span() const {
    return {static_cast<const uint8_t*>(view_.buf), static_cast<size_t>(view_.len)};
  }

 private:
  Py_buffer view_;
};

}  // namespace bucketline::python
