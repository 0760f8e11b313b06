// Memory for batches that Python gives, such as a framework's pinned memory.
#pragma once

#include <functional>
#include <memory>

#include <nanobind/nanobind.h>

namespace bucketline::python {

// LoaderOptions::allocator of `call(bytes)`, which gives an object with data_ptr(), as tensors have: it keeps the
// memory, 64-byte aligned, for as long as it lives. Called with the GIL on decode threads. What it raises is the
// batch's kResourceExhausted.
std::function<std::shared_ptr<void>(size_t bytes)> AllocatorOf(nanobind::object call);

}  // namespace bucketline::python
