// bucketline::Error becomes the exception class of its code (bucketline/errors.py).
#include <exception>

#include "src/conversion.h"
#include "src/exceptions.h"
#include "src/registration.h"
#include <nanobind/nanobind.h>
#include <nanobind/stl/string_view.h>

#include "bucketline/loader/transform.h"

namespace nb = nanobind;

namespace bucketline::python {
namespace {

// The user's own exception, with a note that names the sample.
void RaiseCause(const TransformError& error) {
  try {
    std::rethrow_exception(error.cause());
  } catch (const nb::python_error& raised) {
    const nb::object exception = nb::borrow(raised.value());
    const nb::str note = Text("raised by the transform for " + error.uri());
    const nb::object notes = nb::getattr(exception, "__notes__", nb::none());
    const bool noted = !notes.is_none() && nb::cast<bool>(notes.attr("__contains__")(note));
    if (nb::hasattr(exception, "add_note") && !noted) exception.attr("add_note")(note);
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
  }
}

void Translate(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const TransformError& error) {
    RaiseCause(error);
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
