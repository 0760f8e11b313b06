#include "bucketline/image/spec.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

// No batch row is taller or wider; JPEG itself ends at 65,535.
constexpr int kMaxSide = 65'535;

// Runs for every image: makes no string unless it throws.
void Require(bool condition, const char* field, const char* rule) {
  if (!condition) {
    throw Error(ErrorCode::kInvalidArgument, std::string("the image option ") + field + ": " + rule);
  }
}

void RequireRange(const std::array<double, 2>& range, const char* field, const char* rule) {
  // A limit that no image meets keeps products of both finite.
  Require(range[0] > 0 && range[0] <= range[1] && range[1] <= 1e6, field, rule);
}

void RequireFactor(double factor, const char* field) {
  Require(factor >= 0 && factor <= 100, field, "must be in [0, 100]");
}

}  // namespace

int ImageSpec::ShortSide() const {
  return short_side != 0 ? short_side
                         : static_cast<int>(std::floor(std::min(height, width) * 256.0 / 224 + 0.5));
}

void ImageSpec::Validate() const {
  Require(height >= 0 && height <= kMaxSide, "height", "must be in 0..65535");
  Require(width >= 0 && width <= kMaxSide, "width", "must be in 0..65535");
  Require((height == 0) == (width == 0), "height", "give both height and width, or neither");
  Require(crop == Crop::kNone || height > 0, "height", "a crop needs a height and a width");
  Require(short_side >= 0 && short_side <= kMaxSide, "short_side", "must be in 0..65535");
  if (crop == Crop::kCenter) {
    Require(ShortSide() >= height && ShortSide() >= width, "short_side",
            "must be at least height and width (0 stands for round(min(height, width) * 256 / 224))");
  }
  if (crop == Crop::kBox) {
    Require(box.left >= 0 && box.top >= 0 && box.width > 0 && box.height > 0, "box",
            "needs left and top of at least 0, width and height of at least 1");
  }
  RequireRange(area, "area", "needs 0 < low <= high <= 1");
  Require(area[1] <= 1, "area", "needs 0 < low <= high <= 1");
  RequireRange(ratio, "ratio", "needs 0 < low <= high <= 1000000");
  Require(flip >= 0 && flip <= 1, "flip", "must be a probability in [0, 1]");
  RequireFactor(jitter.brightness, "jitter.brightness");
  RequireFactor(jitter.contrast, "jitter.contrast");
  RequireFactor(jitter.saturation, "jitter.saturation");
  Require(antialias || resize != Resize::kLanczos || family == ResizeFamily::kTensorflow, "antialias",
          "the pillow family has no lanczos without antialias");
  Require(channels == 1 || channels == 3, "channels", "must be 1 or 3");
  if (palette == Palette::kIndex) {
    Require(channels == 1, "palette", "indices are one channel; set channels to 1");
    Require(resize == Resize::kNearest || height == 0, "palette",
            "numbers cannot be mixed; set resize to nearest");
    Require(!jitter.any(), "palette", "numbers have no colours to jitter");
  }
  for (int c = 0; c < channels; ++c) {
    const auto index = static_cast<size_t>(c);
    Require(std::isfinite(mean[index]), "mean", "must be finite");
    Require(std::isfinite(std[index]) && std[index] != 0, "std", "must be finite and not 0");
  }
  Require(std::isfinite(scale), "scale", "must be finite");
  if (type == PixelType::kUint8) {
    const ImageSpec defaults;
    Require(scale == defaults.scale && mean == defaults.mean && std == defaults.std, "type",
            "uint8 rows take no scale, mean or std");
  }
  Require(max_pixels > 0, "max_pixels", "must be at least 1");
  Require(max_side > 0, "max_side", "must be at least 1");
  Require(max_memory > 0, "max_memory", "must be at least 1 byte");
}

ImageSpec ImageSpec::WithGeometryOf(const ImageSpec& other) const {
  ImageSpec spec = *this;
  spec.height = other.height;
  spec.width = other.width;
  spec.crop = other.crop;
  spec.short_side = other.short_side;
  spec.area = other.area;
  spec.ratio = other.ratio;
  spec.box = other.box;
  spec.flip = other.flip;
  spec.orient = other.orient;
  spec.family = other.family;
  return spec;
}

}  // namespace bucketline
