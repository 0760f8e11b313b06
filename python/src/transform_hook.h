// A Python callable as the engine's transform.
#pragma once

#include <nanobind/nanobind.h>

#include "bucketline/loader/transform.h"

namespace bucketline::python {

// What keeps a Python object for threads that do not hold the GIL.
std::shared_ptr<nanobind::object> Shared(nanobind::object object);

// `call(index, epoch, position, key, parts)` with the GIL, on decode threads. `parts`: for each field its bytes, or its
// pixels as a uint8 array (H, W, C) of Python's own. Gives None to skip the sample, a list of arrays (one a field, None
// for raw ones) to go on with those pixels, or anything else in a tuple of one: the sample's value.
Transform TransformOf(nanobind::object call);

// Whether this thread is within a transform.
bool InTransform();

// Whether this thread is within that call.
bool IsRunning(nanobind::handle call);

// The value that TransformOf put into a batch.
nanobind::object ValueOf(const std::shared_ptr<void>& value);

}  // namespace bucketline::python
