// Texts, bytes and arrays between C++ and Python.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

namespace bucketline::python {

// Keys and paths are bytes: what is not UTF-8 comes as os.fsdecode would give it.
inline nanobind::str Text(std::string_view text) {
  PyObject* decoded =
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "surrogateescape");
  if (decoded == nullptr) throw nanobind::python_error();
  return nanobind::steal<nanobind::str>(decoded);
}

// The bytes of a text, also of one that Text() made.
inline std::string Utf8(const nanobind::str& text) {
  PyObject* encoded = PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogateescape");
  if (encoded == nullptr) throw nanobind::python_error();
  const auto bytes = nanobind::steal<nanobind::bytes>(encoded);
  return {bytes.c_str(), bytes.size()};
}

inline nanobind::list Texts(std::span<const std::string> texts) {
  nanobind::list list;
  for (const std::string& text : texts) list.append(Text(text));
  return list;
}

// Keeps a copy of `owner` alive as long as Python holds the capsule.
template <typename Owner>
nanobind::capsule KeepAlive(Owner owner) {
  return nanobind::capsule(new Owner(std::move(owner)),
                           [](void* held) noexcept { delete static_cast<Owner*>(held); });
}

// A writable numpy array on memory that `owner` keeps alive; no copy.
template <typename T>
nanobind::object ArrayOn(const T* data, std::initializer_list<size_t> shape, nanobind::handle owner) {
  return nanobind::cast(nanobind::ndarray<nanobind::numpy, T>(const_cast<T*>(data), shape, owner));
}

// A numpy array of its own.
template <typename T>
nanobind::object ArrayOf(std::vector<T> values, size_t columns = 0) {
  auto owner = std::make_shared<std::vector<T>>(std::move(values));
  T* data = owner->data();
  const size_t size = owner->size();
  const nanobind::capsule keep = KeepAlive(std::move(owner));
  if (columns == 0) return ArrayOn<T>(data, {size}, keep);
  return ArrayOn<T>(data, {size / columns, columns}, keep);
}

}  // namespace bucketline::python
