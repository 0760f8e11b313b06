#include "bucketline/torch/tensors.h"

#include "bucketline/base/error.h"

namespace bucketline::torch {
namespace {

// A tensor over memory that the batch's handle keeps alive.
at::Tensor View(const Batch& batch, const void* data, at::IntArrayRef shape, at::IntArrayRef strides,
                at::ScalarType type) {
  return ::torch::from_blob(
      const_cast<void*>(data), shape, strides, [batch](void*) {}, at::TensorOptions().dtype(type));
}

at::ScalarType ScalarTypeOf(PixelType type) {
  switch (type) {
    case PixelType::kUint8:
      return at::kByte;
    case PixelType::kFloat16:
      return at::kHalf;
    case PixelType::kFloat32:
      break;
  }
  return at::kFloat;
}

}  // namespace

at::Tensor Images(const Batch& batch) {
  if (batch.pixels() == nullptr) {
    throw Error(ErrorCode::kInvalidArgument, "a raw batch has no images; load with decode = true");
  }
  const ImageSpec& spec = batch.spec();
  const int64_t rows = batch.rows(), height = spec.height, width = spec.width, channels = spec.channels;
  const at::ScalarType type = ScalarTypeOf(spec.type);
  const int64_t row = height * width * channels;
  if (spec.layout == PixelLayout::kNhwc) {
    return View(batch, batch.pixels(), {rows, channels, height, width}, {row, 1, width * channels, channels},
                type);
  }
  return View(batch, batch.pixels(), {rows, channels, height, width}, {row, height * width, width, 1}, type);
}

at::Tensor Labels(const Batch& batch) {
  const int64_t rows = batch.rows();
  switch (batch.label_kind()) {
    case LabelKind::kClass:
    case LabelKind::kInteger:
      return View(batch, batch.integer_labels().data(), {rows}, {1}, at::kLong);
    case LabelKind::kFloat:
      return View(batch, batch.float_labels().data(), {rows}, {1}, at::kFloat);
    case LabelKind::kVector: {
      const auto columns = static_cast<int64_t>(batch.label_width());
      return View(batch, batch.float_labels().data(), {rows, columns}, {columns, 1}, at::kFloat);
    }
    case LabelKind::kNone:
      break;
  }
  throw Error(ErrorCode::kInvalidArgument, "this batch has no labels; open the dataset with a label rule");
}

at::Tensor Valid(const Batch& batch) {
  const int64_t rows = batch.rows();
  return View(batch, batch.valid().data(), {rows}, {1}, at::kByte).to(at::kBool);
}

}  // namespace bucketline::torch
