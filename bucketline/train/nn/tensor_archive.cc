#include "bucketline/train/nn/tensor_archive.h"

#include <vector>

#include <torch/types.h>
#include <torch/utils.h>

#include "bucketline/base/error.h"
#include "bucketline/train/safetensors.h"

namespace bucketline::nn {
namespace {

std::string ShapeText(at::IntArrayRef shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + ")";
}

TensorType TypeOf(const at::Tensor& tensor, const std::string& name) {
  if (tensor.scalar_type() == at::kFloat) return TensorType::kFloat32;
  if (tensor.scalar_type() == at::kLong) return TensorType::kInt64;
  throw Error(ErrorCode::kInvalidArgument, "tensor " + name + " is neither float32 nor int64");
}

Error Differs(const std::string& origin, const std::string& what) {
  return Error(ErrorCode::kInvalidArgument, what + "; was it saved from another model?", origin);
}

}  // namespace

NamedTensors StateOf(const ::torch::nn::Module& module) {
  NamedTensors state;
  for (const auto& item : module.named_parameters()) state[item.key()] = item.value();
  for (const auto& item : module.named_buffers()) state[item.key()] = item.value();
  return state;
}

Bytes SaveTensors(const NamedTensors& tensors) {
  std::map<std::string, at::Tensor> contiguous;  // keeps what the views point into
  std::map<std::string, TensorView> views;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor& held = contiguous[name] = tensor.detach().to(at::kCPU).contiguous();
    views[name] = {.type = TypeOf(held, name),
                   .shape = held.sizes().vec(),
                   .data = {static_cast<const uint8_t*>(held.data_ptr()), held.nbytes()}};
  }
  return WriteSafetensors(views);
}

NamedTensors LoadTensors(const Bytes& bytes) {
  const SafetensorsFile file(bytes);
  NamedTensors tensors;
  for (const auto& [name, view] : file.tensors()) {
    const auto type = view.type == TensorType::kFloat32 ? at::kFloat : at::kLong;
    at::Tensor tensor = ::torch::empty(view.shape, at::TensorOptions().dtype(type));
    std::copy(view.data.begin(), view.data.end(), static_cast<uint8_t*>(tensor.data_ptr()));
    tensors[name] = std::move(tensor);
  }
  return tensors;
}

size_t CopyTensors(const NamedTensors& source, const NamedTensors& target, const std::string& origin,
                   const std::function<bool(const std::string& name)>& may_differ) {
  for (const auto& [name, tensor] : source) {
    if (!target.contains(name)) throw Differs(origin, "tensor " + name + " has no place in this model");
  }
  size_t skipped = 0;
  const ::torch::NoGradGuard no_grad;
  for (const auto& [name, place] : target) {
    const auto found = source.find(name);
    if (found == source.end()) throw Differs(origin, "tensor " + name + " is missing");
    if (found->second.sizes() != place.sizes()) {
      if (may_differ && may_differ(name)) {
        ++skipped;
        continue;
      }
      throw Differs(origin, "tensor " + name + " has shape " + ShapeText(found->second.sizes()) +
                                " instead of " + ShapeText(place.sizes()));
    }
    at::Tensor(place).copy_(found->second);
  }
  return skipped;
}

}  // namespace bucketline::nn
