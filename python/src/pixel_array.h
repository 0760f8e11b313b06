// Pixels in a row's layout and type as a numpy array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "src/conversion.h"
#include <nanobind/ndarray.h>

#include "bucketline/image/spec.h"

namespace bucketline::python {

inline nanobind::dlpack::dtype DtypeOf(PixelType type) {
  switch (type) {
    case PixelType::kUint8:
      return nanobind::dtype<uint8_t>();
    case PixelType::kFloat32:
      return nanobind::dtype<float>();
    case PixelType::kFloat16:
      break;
  }
  return {static_cast<uint8_t>(nanobind::dlpack::dtype_code::Float), 16, 1};
}

// (rows, H, W, C) or (rows, C, H, W); without `rows` one image. `spec` has the size. No copy: `owner` keeps the memory.
inline nanobind::object PixelArray(uint8_t* pixels, const ImageSpec& spec, std::optional<size_t> rows,
                                   nanobind::handle owner) {
  const auto height = static_cast<size_t>(spec.height), width = static_cast<size_t>(spec.width);
  const auto channels = static_cast<size_t>(spec.channels);
  std::vector<size_t> shape;
  if (rows) shape.push_back(*rows);
  if (spec.layout == PixelLayout::kNhwc) {
    shape.insert(shape.end(), {height, width, channels});
  } else {
    shape.insert(shape.end(), {channels, height, width});
  }
  return nanobind::cast(nanobind::ndarray<nanobind::numpy>(pixels, shape.size(), shape.data(), owner, nullptr,
                                                           DtypeOf(spec.type)));
}

}  // namespace bucketline::python
