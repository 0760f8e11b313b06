// ImageSpec: how the bytes of an image become pixels in a row of a batch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace bucketline {

enum class PixelType { kUint8, kFloat32 };
enum class PixelLayout { kNhwc, kNchw };  // of one row: (H, W, C) or (C, H, W), C-contiguous

enum class Crop {
  kNone,           // stretch the whole image to (height, width)
  kCenter,         // short side to `short_side`, then cut (height, width) from the middle
  kRandomResized,  // a random box by `area` and `ratio`, cut, then stretch to (height, width); as torchvision
                   // draws it
};

// Which library's pixels to give.
enum class ResizeFamily {
  // Decodes with the accurate DCT. antialias: Pillow's convolution, bit for bit (22-bit weights, horizontal
  // pass
  // first, uint8 between the passes). Without: two taps around the half-pixel centre, in the same arithmetic.
  kPillow,
  // Decodes with the fast DCT. tf.image.resize, bilinear: float32 throughout, within 1e-3 of full scale.
  // uint8 rows
  // are rounded to nearest (halves up) and saturated, where TensorFlow leaves the cast to its user.
  kTensorflow,
};

// A value; equality means equal pixels.
struct ImageSpec {
  int height = 0;  // of the row; both 0: the size of the image as it is (batches of one size only)
  int width = 0;
  Crop crop = Crop::kNone;
  int short_side = 0;  // for kCenter, at least height and width; 0: round(min(height, width) * 256 / 224)
  std::array<double, 2> area = {0.08, 1.0};          // for kRandomResized: share of the image's area
  std::array<double, 2> ratio = {3.0 / 4, 4.0 / 3};  // for kRandomResized: width / height
  double flip = 0.0;                                 // probability of a left-right flip, in [0, 1]
  bool antialias = true;
  ResizeFamily family = ResizeFamily::kPillow;
  int channels = 3;  // 1 or 3; grey is replicated, alpha is dropped, colour becomes luma (ITU-R 601)
  PixelType type = PixelType::kFloat32;
  PixelLayout layout = PixelLayout::kNchw;
  // float32 value = (level * scale - mean[c]) / std[c], level in 0..255. For kUint8 they must keep these
  // defaults.
  float scale = 1.0f / 255;
  std::array<float, 3> mean = {0, 0, 0};
  std::array<float, 3> std = {1, 1, 1};
  uint64_t max_pixels =
      178'956'970;  // a larger image (width * height) is kResourceExhausted; Pillow's bomb limit x 2

  // The mean and standard deviation that ImageNet models were trained with.
  static constexpr std::array<float, 3> kImagenetMean = {0.485f, 0.456f, 0.406f};
  static constexpr std::array<float, 3> kImagenetStd = {0.229f, 0.224f, 0.225f};

  friend bool operator==(const ImageSpec&, const ImageSpec&) = default;

  // Throws kInvalidArgument naming the field that is out of its range.
  void Validate() const;

  size_t BytesPerValue() const { return type == PixelType::kUint8 ? 1 : 4; }
  // `short_side`, or what 0 stands for.
  int ShortSide() const;
  // Bytes of one row. Precondition: height and width are set.
  size_t RowBytes() const {
    return static_cast<size_t>(height) * static_cast<size_t>(width) * static_cast<size_t>(channels) *
           BytesPerValue();
  }
};

}  // namespace bucketline
