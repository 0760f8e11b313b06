// bucketline::Error as the exception of its code (bucketline/errors.py).
#pragma once

#include <nanobind/nanobind.h>

#include "bucketline/base/error.h"

namespace bucketline::python {

nanobind::object ExceptionOf(const Error& error);

}  // namespace bucketline::python
