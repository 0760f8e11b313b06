#include "bucketline/image/decoder.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "bucketline/base/error.h"
#include "bucketline/image/crop_box.h"
#include "bucketline/image/emit_row.h"
#include "bucketline/image/formats.h"
#include "bucketline/image/place_row.h"
#include "bucketline/image/probe.h"
#include "bucketline/image/row_resizer.h"

namespace bucketline {
namespace {

// The size that crops and boxes speak of.
ImageSize ShownSize(const ImageInfo& info, bool orient) {
  const bool turned = orient && info.orientation >= 5;
  return {turned ? info.width : info.height, turned ? info.height : info.width};
}

// The smallest of 1/1, 1/2, 1/4, 1/8 that still has twice the pixels which the row needs on each axis: with
// fewer the result is visibly sharper than that of the full decode, because the filter has nothing left to do.
int Denominator(const CropPlan& plan) {
  int denominator = 1;
  const auto enough = [&plan](int64_t d) {
    return plan.x.size >= 2 * d * plan.x.resized && plan.y.size >= 2 * d * plan.y.resized;
  };
  while (denominator < 8 && enough(int64_t{denominator} * 2)) denominator *= 2;
  return denominator;
}

int Shrunk(int size, int denominator) { return (size + denominator - 1) / denominator; }

void RequireMemory(const ImageInfo& info, const ImageSpec& spec) {
  const size_t scratch = ImageDecoder::ScratchBytes(info, spec);
  if (scratch <= spec.max_memory) return;
  throw Error(ErrorCode::kResourceExhausted,
              "decoding this image of " + std::to_string(info.width) + " x " + std::to_string(info.height) +
                  " pixels takes " + std::to_string(scratch) +
                  " bytes, more than max_memory = " + std::to_string(spec.max_memory));
}

}  // namespace

ImageSize OwnSize(const ImageInfo& info, const ImageSpec& spec) { return ShownSize(info, spec.orient); }

struct ImageDecoder::Impl {
  std::array<std::unique_ptr<PixelReader>, 5> readers;  // by ImageFormat; made when first needed
  PillowResizer pillow;
  TensorflowResizer tensorflow;
  RowEmitter emitter;
  std::vector<double> weights;
  const RowKernels& kernels = FastestKernels();

  PixelReader& ReaderOf(const FormatEntry& entry) {
    std::unique_ptr<PixelReader>& reader = readers.at(static_cast<size_t>(entry.format));
    if (!reader) reader = entry.make_reader();
    return *reader;
  }

  template <typename Resizer>
  void Resize(Resizer& resizer, PixelReader& reader, const ImageSpec& spec, bool vertical_first) {
    reader.Start({resizer.x.begin, resizer.y.begin, resizer.x.end, resizer.y.end}, spec);
    resizer.Run(reader, kernels, spec.channels, vertical_first, emitter);
    emitter.Finish();
  }

  // The source is read downwards: of a mirrored axis the last outputs come first.
  void Decode(PixelReader& reader, const ImageSpec& spec, const SourcePlan& plan) {
    const ResizeMethod method = {spec.resize, spec.antialias};
    if (spec.family == ResizeFamily::kPillow) {
      BuildPillowWeights(plan.x, method, plan.reverse_x, &weights, &pillow.x);
      PackWeightPairs(&pillow.x);
      BuildPillowWeights(plan.y, method, plan.y.mirrored, &weights, &pillow.y);
      Resize(pillow, reader, spec, plan.vertical_first);
    } else {
      BuildTensorflowWeights(plan.x, method, plan.reverse_x, &weights, &tensorflow.x);
      BuildTensorflowWeights(plan.y, method, plan.y.mirrored, &weights, &tensorflow.y);
      Resize(tensorflow, reader, spec, false);
    }
  }

  void Close() {
    for (const auto& reader : readers) {
      if (reader) reader->Close();
    }
    pillow.Close();
    tensorflow.Close();
    emitter.Close();
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
  const FormatEntry& entry = EntryOf(SniffFormat(data));
  PixelReader& reader = impl_->ReaderOf(entry);
  ImageInfo info = reader.Open(data);
  if (spec.orient) info.orientation = entry.probe(data).orientation;
  RequireLimits(info, spec);
  if (spec.palette == Palette::kIndex && info.format != ImageFormat::kPng) {
    throw Error(ErrorCode::kCorruptData, "palette = index reads the numbers of a PNG, and this is none");
  }
  RequireMemory(info, spec);
  const ImageSize shown = ShownSize(info, spec.orient);
  const CropPlan plan = PlanCrop(spec, shown.width, shown.height, rng);
  SourcePlan source = OrientPlan(plan, spec.orient ? info.orientation : 1, info.width, info.height);
  const Placement place = PlaceRow(plan, source);
  RequireRow(place, spec, row);
  if (spec.dct_scaling && info.format == ImageFormat::kJpeg) {
    const int denominator = Denominator(plan);
    reader.SetScale(denominator);
    source.x = ScaleAxis(source.x, denominator, Shrunk(info.width, denominator));
    source.y = ScaleAxis(source.y, denominator, Shrunk(info.height, denominator));
  }
  impl_->emitter.Prepare(spec, impl_->kernels, place, rng, row);
  impl_->Decode(reader, spec, source);
  ImageGeometry geometry = plan.Geometry(shown.width, shown.height);
  geometry.truncated = reader.truncated();
  return geometry;
}

size_t ImageDecoder::ScratchBytes(const ImageInfo& info, const ImageSpec& spec) {
  spec.Validate();
  // A box is never larger than the image, and a larger one never needs less.
  ImageSpec whole = spec;
  if (spec.crop == Crop::kRandomResized || spec.crop == Crop::kBox) whole.crop = Crop::kNone;
  const ImageSize shown = ShownSize(info, spec.orient);
  const CropPlan plan = PlanCrop(whole, shown.width, shown.height, CounterRng(0, 0, 0));
  const SourcePlan source = OrientPlan(plan, spec.orient ? info.orientation : 1, info.width, info.height);
  const size_t resizer =
      spec.family == ResizeFamily::kPillow
          ? PillowResizer::ScratchBytes(source.x, source.y, spec.resize, spec.channels)
          : TensorflowResizer::ScratchBytes(source.x, source.y, spec.resize, spec.channels);
  const auto longest =
      static_cast<size_t>(std::max(MaxTaps(source.x, spec.resize), MaxTaps(source.y, spec.resize)));
  return EntryOf(info.format).scratch_bytes(info) + resizer +
         RowEmitter::ScratchBytes(spec, PlaceRow(plan, source)) + longest * sizeof(double);
}

}  // namespace bucketline
