// ImageSpec: how the bytes of an image become pixels in a row of a batch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace bucketline {

enum class PixelType { kUint8, kFloat16, kFloat32 };  // kFloat16: IEEE binary16, rounded to nearest even
enum class PixelLayout { kNhwc, kNchw };              // of one row: (H, W, C) or (C, H, W), C-contiguous

enum class Crop {
  kNone,           // stretch the whole image to (height, width)
  kCenter,         // short side to `short_side`, then cut (height, width) from the middle
  kRandomResized,  // a random box by `area` and `ratio`, cut, then stretch to (height, width); as torchvision
                   // draws it
  kPad,  // fit the whole image inside (height, width), centred, the rest filled with level 0; sizes and
         // offsets as ImageOps.pad (kPillow) or tf.image.resize_with_pad (kTensorflow) choose them
  kBox,  // cut `box`, then stretch to (height, width)
};

// How pixels are weighted when the size changes.
enum class Resize {
  kBilinear,
  kBicubic,
  kLanczos,  // three lobes
  kArea,     // Pillow's BOX, TensorFlow's "area"; antialias plays no part
  kNearest,  // Pillow's NEAREST, TensorFlow's "nearest"; antialias plays no part
};

// What the samples of an image stand for.
enum class Palette {
  kColours,  // colours; those of a palette are looked up
  // Numbers, as in masks of classes: the palette's indices, or grey levels as stored, in 1 to 8 bits and not
  // stretched to 0..255. Anything but a PNG of palette or grey samples (alpha is dropped) is kCorruptData. Needs
  // channels = 1, no jitter and, where sizes change, kNearest. Padding is number 0.
  kIndex,
};

// What a JPEG, PNG, GIF or BMP whose data ends early becomes.
enum class Truncated {
  kRaise,  // kCorruptData
  kKeep,   // what is there; the rest grey (JPEG), colour 0 (GIF) or black. A header that is cut off still
           // raises, and so does a WebP.
};

struct PixelBox {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;

  friend bool operator==(const PixelBox&, const PixelBox&) = default;
};

// torchvision's ColorJitter without hue: each factor uniform in [max(0, 1 - x), 1 + x], the three changes in
// random order, after resizing and before scale, mean and std. kPillow: on bytes, with the bytes that
// torchvision makes of a Pillow image. kTensorflow: the same formulae on floats, clamped to 0..255.
struct Jitter {
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;  // nothing to change with one channel

  bool any() const { return brightness > 0 || contrast > 0 || saturation > 0; }
  friend bool operator==(const Jitter&, const Jitter&) = default;
};

// Which library's pixels to give.
enum class ResizeFamily {
  // Decodes with the accurate DCT. antialias: Pillow 13's convolution, bit for bit (22-bit weights, uint8
  // between the passes, its order of the passes). Without: torchvision's taps (two, or four of a = -0.75) around the
  // half-pixel centre, in the same arithmetic; there is no kLanczos without.
  kPillow,
  // Decodes with the fast DCT. tf.image.resize: float32 throughout, within 1e-3 of full scale. uint8 rows are
  // rounded to nearest (halves up) and saturated, where TensorFlow leaves the cast to its user.
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
  PixelBox box = {};  // for kBox: pixels of the image as shown; one that leaves an image is kInvalidArgument
  double flip = 0.0;  // probability of a left-right flip, in [0, 1]
  Jitter jitter = {};
  // Obey the EXIF orientation: crops, sizes and boxes are then those of the image as it is shown, and the
  // pixels those of turning first.
  bool orient = false;
  Resize resize = Resize::kBilinear;
  bool antialias = true;
  ResizeFamily family = ResizeFamily::kPillow;
  Palette palette = Palette::kColours;
  int channels = 3;  // 1 or 3; grey is replicated, alpha is dropped, colour becomes luma (ITU-R 601)
  PixelType type = PixelType::kFloat32;
  PixelLayout layout = PixelLayout::kNchw;
  // float32 value = (level * scale - mean[c]) / std[c], level in 0..255. For kUint8 they must keep these
  // defaults.
  float scale = 1.0f / 255;
  std::array<float, 3> mean = {0, 0, 0};
  std::array<float, 3> std = {1, 1, 1};
  // Decode a JPEG at 1/2, 1/4 or 1/8 of its size where that still has twice the pixels that the row needs.
  // Several times faster on large photos; the pixels are close to those of the full decode, not equal.
  bool dct_scaling = false;
  Truncated truncated = Truncated::kRaise;
  // Above these an image is kResourceExhausted, before any large allocation.
  uint64_t max_pixels = 178'956'970;        // width * height; Pillow's bomb limit x 2
  int max_side = 65'535;                    // width or height
  uint64_t max_memory = uint64_t{2} << 30;  // ImageDecoder::ScratchBytes

  // The mean and standard deviation that ImageNet models were trained with.
  static constexpr std::array<float, 3> kImagenetMean = {0.485f, 0.456f, 0.406f};
  static constexpr std::array<float, 3> kImagenetStd = {0.229f, 0.224f, 0.225f};

  friend bool operator==(const ImageSpec&, const ImageSpec&) = default;

  // Throws kInvalidArgument naming the field that is out of its range.
  void Validate() const;

  // This spec with the size, crop, flip, orientation and family of `other`: of an image of the same size, and with
  // the same random draws, it makes the row from the same box. Resize, channels, type and values stay its own.
  ImageSpec WithGeometryOf(const ImageSpec& other) const;

  size_t BytesPerValue() const { return type == PixelType::kUint8 ? 1 : type == PixelType::kFloat16 ? 2 : 4; }
  // `short_side`, or what 0 stands for.
  int ShortSide() const;
  // Bytes of one row. Precondition: height and width are set.
  size_t RowBytes() const {
    return static_cast<size_t>(height) * static_cast<size_t>(width) * static_cast<size_t>(channels) *
           BytesPerValue();
  }
};

}  // namespace bucketline
