// ImageSpec, and one image decoded by it.
#include "src/pixel_array.h"
#include "src/registration.h"
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/pair.h>

#include "bucketline/base/error.h"
#include "bucketline/image/decoder.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace bucketline::python {
namespace {

nb::object Decode(const ImageSpec& spec, const nb::bytes& data, uint64_t seed, uint64_t epoch,
                  uint64_t position) {
  const std::span<const uint8_t> span{reinterpret_cast<const uint8_t*>(data.c_str()), data.size()};
  ImageSpec sized = spec;
  std::shared_ptr<uint8_t[]> row;
  {
    const nb::gil_scoped_release free;
    spec.Validate();
    if (spec.height == 0) {
      const ImageSize size = OwnSize(ProbeImage(span), spec);
      sized.height = size.height;
      sized.width = size.width;
    }
    row = std::shared_ptr<uint8_t[]>(new uint8_t[sized.RowBytes()]);
    ImageDecoder().DecodeInto(span, spec, CounterRng(seed, epoch, position), {row.get(), sized.RowBytes()});
  }
  return PixelArray(row.get(), sized, {}, KeepAlive(row));
}

}  // namespace

void RegisterImage(nb::module_& module) {
  nb::enum_<Crop>(module, "Crop")
      .value("none", Crop::kNone)
      .value("center", Crop::kCenter)
      .value("random_resized", Crop::kRandomResized)
      .value("pad", Crop::kPad)
      .value("box", Crop::kBox);
  nb::enum_<Resize>(module, "Resize")
      .value("bilinear", Resize::kBilinear)
      .value("bicubic", Resize::kBicubic)
      .value("lanczos", Resize::kLanczos)
      .value("area", Resize::kArea)
      .value("nearest", Resize::kNearest);
  nb::enum_<ResizeFamily>(module, "Parity")
      .value("pillow", ResizeFamily::kPillow)
      .value("tensorflow", ResizeFamily::kTensorflow);
  nb::enum_<Palette>(module, "Palette").value("colours", Palette::kColours).value("index", Palette::kIndex);
  nb::enum_<PixelType>(module, "PixelType")
      .value("uint8", PixelType::kUint8)
      .value("float16", PixelType::kFloat16)
      .value("float32", PixelType::kFloat32);
  nb::enum_<PixelLayout>(module, "PixelLayout")
      .value("NHWC", PixelLayout::kNhwc)
      .value("NCHW", PixelLayout::kNchw);
  nb::enum_<Truncated>(module, "Truncated").value("error", Truncated::kRaise).value("keep", Truncated::kKeep);

  nb::class_<ImageSpec>(module, "ImageSpec")
      .def(nb::init<>())
      .def("__copy__", [](const ImageSpec& spec) { return spec; })
      .def("__eq__", [](const ImageSpec& a, const ImageSpec& b) { return a == b; })
      .def_rw("height", &ImageSpec::height)
      .def_rw("width", &ImageSpec::width)
      .def_rw("crop", &ImageSpec::crop)
      .def_rw("short_side", &ImageSpec::short_side)
      .def_rw("area", &ImageSpec::area)
      .def_rw("ratio", &ImageSpec::ratio)
      .def_prop_rw(
          "box",
          [](const ImageSpec& s) { return std::array{s.box.left, s.box.top, s.box.width, s.box.height}; },
          [](ImageSpec& s, std::array<int, 4> box) { s.box = {box[0], box[1], box[2], box[3]}; })
      .def_rw("flip", &ImageSpec::flip)
      .def_prop_rw(
          "jitter",
          [](const ImageSpec& s) {
            return std::array{s.jitter.brightness, s.jitter.contrast, s.jitter.saturation};
          },
          [](ImageSpec& s, std::array<double, 3> jitter) { s.jitter = {jitter[0], jitter[1], jitter[2]}; })
      .def_rw("orient", &ImageSpec::orient)
      .def_rw("resize", &ImageSpec::resize)
      .def_rw("antialias", &ImageSpec::antialias)
      .def_rw("parity", &ImageSpec::family)
      .def_rw("palette", &ImageSpec::palette)
      .def_rw("channels", &ImageSpec::channels)
      .def_rw("dtype", &ImageSpec::type)
      .def_rw("layout", &ImageSpec::layout)
      .def_rw("scale", &ImageSpec::scale)
      .def_rw("mean", &ImageSpec::mean)
      .def_rw("std", &ImageSpec::std)
      .def_rw("dct_scaling", &ImageSpec::dct_scaling)
      .def_rw("truncated", &ImageSpec::truncated)
      .def_rw("max_pixels", &ImageSpec::max_pixels)
      .def_rw("max_side", &ImageSpec::max_side)
      .def_rw("max_memory", &ImageSpec::max_memory)
      .def("validate", &ImageSpec::Validate);

  module.def("decode", &Decode, "spec"_a, "data"_a, "seed"_a, "epoch"_a, "position"_a);
}

}  // namespace bucketline::python
