#include "bucketline/image/decoder.h"

#include <algorithm>
#include <string>
#include <vector>

#include "bucketline/base/error.h"
#include "bucketline/image/crop_box.h"
#include "bucketline/image/emit_row.h"
#include "bucketline/image/jpeg_reader.h"
#include "bucketline/image/png_reader.h"
#include "bucketline/image/probe.h"
#include "bucketline/image/row_resizer.h"

namespace bucketline {
namespace {

void RequireRow(const CropPlan& plan, const ImageSpec& spec, std::span<const uint8_t> row) {
  const size_t needed = static_cast<size_t>(plan.x.out_size) * static_cast<size_t>(plan.y.out_size) *
                        static_cast<size_t>(spec.channels) * spec.BytesPerValue();
  if (row.size() != needed) {
    throw Error(ErrorCode::kInvalidArgument,
                "the row has " + std::to_string(row.size()) + " bytes, but " +
                    std::to_string(plan.y.out_size) + " x " + std::to_string(plan.x.out_size) +
                    " pixels need " + std::to_string(needed) +
                    (spec.height == 0 ? "; images of several sizes need ImageSpec.height and width" : ""));
  }
  if (reinterpret_cast<uintptr_t>(row.data()) % spec.BytesPerValue() != 0) {
    throw Error(ErrorCode::kInvalidArgument, "the row is not aligned for its value type");
  }
}

}  // namespace

struct ImageDecoder::Impl {
  JpegReader jpeg;
  PngReader png;
  PillowResizer pillow;
  TensorflowResizer tensorflow;
  RowEmitter emitter;
  std::vector<double> weights;
  const RowKernels& kernels = FastestKernels();

  PixelReader& ReaderOf(ImageFormat format) {
    if (format == ImageFormat::kJpeg) return jpeg;
    return png;
  }

  template <typename Resizer>
  void Resize(Resizer& resizer, PixelReader& reader, const ImageSpec& spec) {
    reader.Start({resizer.x.begin, resizer.y.begin, resizer.x.end, resizer.y.end}, spec);
    resizer.Run(reader, kernels, spec.channels, emitter);
  }

  void Decode(PixelReader& reader, const ImageSpec& spec, const CropPlan& plan, std::span<uint8_t> row) {
    emitter.Prepare(spec, kernels, plan.x.out_size, plan.y.out_size, row);
    if (spec.family == ResizeFamily::kPillow) {
      BuildPillowWeights(plan.x, spec.antialias, plan.flip, &weights, &pillow.x);
      PackWeightPairs(&pillow.x);
      BuildPillowWeights(plan.y, spec.antialias, false, &weights, &pillow.y);
      Resize(pillow, reader, spec);
    } else {
      BuildTensorflowWeights(plan.x, spec.antialias, plan.flip, &weights, &tensorflow.x);
      BuildTensorflowWeights(plan.y, spec.antialias, false, &weights, &tensorflow.y);
      Resize(tensorflow, reader, spec);
    }
  }

  void Close() {
    jpeg.Close();
    png.Close();
    pillow.Close();
    tensorflow.Close();
  }
};

ImageDecoder::ImageDecoder() : impl_(std::make_unique<Impl>()) {}
ImageDecoder::~ImageDecoder() = default;
ImageDecoder::ImageDecoder(ImageDecoder&&) noexcept = default;
ImageDecoder& ImageDecoder::operator=(ImageDecoder&&) noexcept = default;

ImageGeometry ImageDecoder::DecodeInto(std::span<const uint8_t> data, const ImageSpec& spec, CounterRng rng,
                                       std::span<uint8_t> row) {
  spec.Validate();
  struct Closer {
    Impl& impl;
    ~Closer() { impl.Close(); }
  } closer{*impl_};
  PixelReader& reader = impl_->ReaderOf(SniffFormat(data));
  const ImageInfo info = reader.Open(data);
  RequirePixelLimit(info, spec);
  const CropPlan plan = PlanCrop(spec, info.width, info.height, rng);
  RequireRow(plan, spec, row);
  impl_->Decode(reader, spec, plan, row);
  return plan.Geometry(info.width, info.height);
}

size_t ImageDecoder::ScratchBytes(const ImageInfo& info, const ImageSpec& spec) {
  spec.Validate();
  // A random box is never larger than the image, and a larger box never needs less.
  ImageSpec whole = spec;
  if (spec.crop == Crop::kRandomResized) whole.crop = Crop::kNone;
  const CropPlan plan = PlanCrop(whole, info.width, info.height, CounterRng(0, 0, 0));
  const size_t reader =
      info.format == ImageFormat::kJpeg ? JpegReader::ScratchBytes(info) : PngReader::ScratchBytes(info);
  const size_t resizer = spec.family == ResizeFamily::kPillow
                             ? PillowResizer::ScratchBytes(plan.x, plan.y, spec.channels)
                             : TensorflowResizer::ScratchBytes(plan.x, plan.y, spec.channels);
  const auto longest = static_cast<size_t>(
      std::max(MaxTaps(plan.x.size, plan.x.resized), MaxTaps(plan.y.size, plan.y.resized)));
  const size_t tables =
      static_cast<size_t>(plan.x.out_size) * static_cast<size_t>(spec.channels) * 2 * sizeof(float);
  return reader + resizer + tables + longest * sizeof(double);
}

}  // namespace bucketline
