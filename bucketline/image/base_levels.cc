#include "bucketline/image/base_levels.h"

#include <array>
#include <cstdio>  // for jpeglib.h

#include <fmt/format.h>
#include <jpeglib.h>
#include <webp/decode.h>

namespace bucketline {
namespace {

// Raised by whoever changes what a decode of the same bytes by the same spec gives (base_levels_test.cc notices).
constexpr int kDecoderVersion = 1;

std::string_view NameOf(Resize resize) {
  constexpr std::array<std::string_view, 5> kNames = {"bilinear", "bicubic", "lanczos", "area", "nearest"};
  return kNames.at(static_cast<size_t>(resize));
}

std::string CropText(const ImageSpec& spec) {
  switch (spec.crop) {
    case Crop::kNone:
      return "stretched";
    case Crop::kCenter:
      return fmt::format("center of {}", spec.ShortSide());
    case Crop::kRandomResized:
      return "random";
    case Crop::kPad:
      return "padded";
    case Crop::kBox:
      break;
  }
  return fmt::format("box {}+{}+{}x{}", spec.box.left, spec.box.top, spec.box.width, spec.box.height);
}

}  // namespace

bool HasBase(const ImageSpec& spec) { return spec.crop != Crop::kRandomResized; }

ImageSpec BaseOf(const ImageSpec& spec) {
  ImageSpec base = spec;
  const bool bytes =
      spec.family == ResizeFamily::kPillow || (spec.type == PixelType::kUint8 && !spec.jitter.any());
  base.flip = 0;
  base.jitter = {};
  base.type = bytes ? PixelType::kUint8 : PixelType::kFloat32;
  base.layout = PixelLayout::kNhwc;
  base.scale = bytes ? ImageSpec().scale : 1;
  base.mean = {0, 0, 0};
  base.std = {1, 1, 1};
  return base;
}

std::string BaseText(const ImageSpec& spec) {
  const ImageSpec base = BaseOf(spec);
  const bool own = spec.height == 0;
  return fmt::format(
      "{}, {}, {}{} {}, {} {}{}{}{}{}, at most {} px, {} a side, {} B, decoder {} jpeg {} webp {:x}",
      own ? "own size" : fmt::format("{}x{}", spec.height, spec.width), CropText(spec), NameOf(spec.resize),
      spec.antialias ? "" : " not antialiased",
      spec.family == ResizeFamily::kPillow ? "as Pillow" : "as TensorFlow",
      spec.channels == 1 ? "1 channel" : "3 channels", base.type == PixelType::kUint8 ? "uint8" : "float32",
      spec.palette == Palette::kIndex ? ", palette indices" : "", spec.orient ? ", by EXIF" : "",
      spec.dct_scaling ? ", DCT scaled" : "", spec.truncated == Truncated::kKeep ? ", truncated kept" : "",
      spec.max_pixels, spec.max_side, spec.max_memory, kDecoderVersion, LIBJPEG_TURBO_VERSION_NUMBER,
      WebPGetDecoderVersion());
}

}  // namespace bucketline
