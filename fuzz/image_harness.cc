// Readers of each format, the probe, and whole decodes. The last bytes of an input choose the options, so that
// its first ones stay those of a file.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "fuzz/harnesses.h"

#include "bucketline/base/error.h"
#include "bucketline/image/decoder.h"
#include "bucketline/image/formats.h"
#include "bucketline/image/probe.h"

namespace bucketline::fuzz {
namespace {

constexpr uint64_t kMaxPixels = 1 << 18;  // keeps an input below some milliseconds

// Takes options from the end of the data.
class Options {
 public:
  explicit Options(std::span<const uint8_t> data) : rest_(data) {}

  int Below(int n) {
    if (rest_.empty()) return 0;
    const int value = rest_.back() % n;
    rest_ = rest_.first(rest_.size() - 1);
    return value;
  }
  bool Flag() { return Below(2) == 1; }

 private:
  std::span<const uint8_t> rest_;
};

void Expected(const Error& error) {
  if (error.code() != ErrorCode::kCorruptData && error.code() != ErrorCode::kResourceExhausted) std::abort();
  if (error.message().empty()) std::abort();
}

// Rows of a window; every byte that may be read is read.
void ReadWindow(const FormatEntry& entry, std::span<const uint8_t> data) {
  Options options(data);
  ImageSpec spec;
  spec.channels = options.Flag() ? 3 : 1;
  spec.family = options.Flag() ? ResizeFamily::kPillow : ResizeFamily::kTensorflow;
  spec.truncated = options.Flag() ? Truncated::kKeep : Truncated::kRaise;
  spec.max_pixels = kMaxPixels;
  const std::unique_ptr<PixelReader> reader = entry.make_reader();
  try {
    ImageInfo info = reader->Open(data);
    RequireLimits(info, spec);
    const ImageInfo probed = entry.probe(data);
    if (probed.width != info.width || probed.height != info.height) std::abort();
    if (probed.orientation < 1 || probed.orientation > 8) std::abort();
    if (entry.format == ImageFormat::kJpeg) {
      const int denominator = 1 << options.Below(4);
      reader->SetScale(denominator);
      info.width = (info.width + denominator - 1) / denominator;
      info.height = (info.height + denominator - 1) / denominator;
    }
    PixelWindow window;
    window.left = options.Below(256) * info.width / 256;
    window.top = options.Below(256) * info.height / 256;
    window.right = window.left + 1 + options.Below(256) * (info.width - window.left) / 257;
    window.bottom = window.top + 1 + options.Below(256) * (info.height - window.top) / 257;
    if (spec.channels == 1 && options.Flag()) spec.palette = Palette::kIndex;
    reader->Start(window, spec);
    unsigned sum = 0;
    for (int y = window.top; y < window.bottom; ++y) {
      const uint8_t* row = reader->NextRow();
      const size_t bytes =
          static_cast<size_t>(window.right - window.left) * static_cast<size_t>(spec.channels);
      for (size_t i = 0; i < bytes; ++i) sum += row[i];
    }
    if (sum > 255u * 3 * kMaxPixels) std::abort();
  } catch (const Error& error) {
    Expected(error);
  }
  reader->Close();
}

void ReadFormat(const FormatEntry& entry, std::span<const uint8_t> data) {
  if (entry.matches(data)) ReadWindow(entry, data);
}

ImageSpec SpecOf(Options& options) {
  ImageSpec spec;
  spec.height = 1 + options.Below(40);
  spec.width = 1 + options.Below(40);
  spec.short_side = 48;
  spec.crop = static_cast<Crop>(options.Below(4));
  spec.resize = static_cast<Resize>(options.Below(5));
  spec.family = options.Flag() ? ResizeFamily::kPillow : ResizeFamily::kTensorflow;
  spec.antialias = spec.resize == Resize::kLanczos || options.Flag();
  spec.orient = options.Flag();
  spec.dct_scaling = options.Flag();
  spec.truncated = options.Flag() ? Truncated::kKeep : Truncated::kRaise;
  spec.type = static_cast<PixelType>(options.Below(3));
  spec.layout = options.Flag() ? PixelLayout::kNchw : PixelLayout::kNhwc;
  spec.channels = options.Flag() ? 3 : 1;
  spec.flip = 0.5;
  if (options.Flag()) spec.jitter = {0.5, 0.5, 0.5};
  spec.max_pixels = kMaxPixels;
  if (options.Flag()) {
    spec.palette = Palette::kIndex;
    spec.channels = 1;
    spec.resize = Resize::kNearest;
    spec.jitter = {};
  }
  return spec;
}

}  // namespace

void FuzzJpeg(std::span<const uint8_t> data) { ReadFormat(kJpegFormat, data); }
void FuzzPng(std::span<const uint8_t> data) { ReadFormat(kPngFormat, data); }
void FuzzWebp(std::span<const uint8_t> data) { ReadFormat(kWebpFormat, data); }
void FuzzGif(std::span<const uint8_t> data) { ReadFormat(kGifFormat, data); }
void FuzzBmp(std::span<const uint8_t> data) { ReadFormat(kBmpFormat, data); }

void FuzzProbe(std::span<const uint8_t> data) {
  try {
    const ImageInfo info = ProbeImage(data);
    if (info.width <= 0 || info.height <= 0 || info.channels <= 0) std::abort();
    if (ImageDecoder::ScratchBytes(info, ImageSpec{}) == 0) std::abort();
  } catch (const Error& error) {
    Expected(error);
  }
}

void FuzzDecoder(std::span<const uint8_t> data) {
  Options options(data);
  const ImageSpec spec = SpecOf(options);
  // One decoder for all inputs: an error must not spoil the next image.
  static ImageDecoder& decoder = *new ImageDecoder;
  std::vector<float> row(spec.RowBytes() / sizeof(float) + 1);
  const auto position = static_cast<uint64_t>(options.Below(256));
  try {
    const ImageGeometry geometry = decoder.DecodeInto(
        data, spec, CounterRng(1, 2, position), {reinterpret_cast<uint8_t*>(row.data()), spec.RowBytes()});
    if (geometry.truncated && spec.truncated == Truncated::kRaise) std::abort();
  } catch (const Error& error) {
    Expected(error);
  }
}

}  // namespace bucketline::fuzz
