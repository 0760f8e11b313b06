// bucketline::Error becomes the exception class of its code (bucketline/errors.py).
#include <exception>

#include "src/conversion.h"
#include "src/exceptions.h"
#include "src/registration.h"
#include <nanobind/nanobind.h>
#include <nanobind/stl/string_view.h>

namespace nb = nanobind;

namespace bucketline::python {
namespace {

void Translate(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    const nb::object exception = ExceptionOf(error);
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
  }
}

}  // namespace

nb::object ExceptionOf(const Error& error) {
  return nb::module_::import_("bucketline.errors")
      .attr("from_core")(ErrorCodeName(error.code()), Text(error.message()), Text(error.uri()),
                         error.http_status(), Text(error.request_id()));
}

void RegisterErrors(nb::module_&) { nb::register_exception_translator(&Translate); }

}  // namespace bucketline::python
