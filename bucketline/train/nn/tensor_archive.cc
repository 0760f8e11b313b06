#include "bucketline/train/nn/tensor_archive.h"

#include <utility>
#include <vector>

#include <torch/types.h>
#include <torch/utils.h>

#include "bucketline/base/error.h"
#include "bucketline/train/safetensors.h"

namespace bucketline::nn {
namespace {

constexpr std::pair<TensorType, at::ScalarType> kTypes[] = {
    {TensorType::kFloat32, at::kFloat}, {TensorType::kFloat64, at::kDouble},
    {TensorType::kFloat16, at::kHalf},  {TensorType::kBfloat16, at::kBFloat16},
    {TensorType::kInt64, at::kLong},    {TensorType::kInt32, at::kInt},
    {TensorType::kInt16, at::kShort},   {TensorType::kInt8, at::kChar},
    {TensorType::kUint8, at::kByte},    {TensorType::kBool, at::kBool}};

TensorType TypeOf(const at::Tensor& tensor, const std::string& name) {
  for (const auto& [ours, theirs] : kTypes) {
    if (tensor.scalar_type() == theirs) return ours;
  }
  throw Error(ErrorCode::kUnsupported, "tensor " + name + " is of type " +
                                           c10::toString(tensor.scalar_type()) +
                                           ", which checkpoints cannot hold");
}

at::ScalarType TypeOf(TensorType type) {
  for (const auto& [ours, theirs] : kTypes) {
    if (type == ours) return theirs;
  }
  throw Error(ErrorCode::kInternal, "a tensor type that LibTorch lacks");
}

Error Differs(const std::string& origin, const std::string& what) {
  return Error(ErrorCode::kInvalidArgument, what + "; was it saved from another model?", origin);
}

}  // namespace

std::string ShapeText(at::IntArrayRef shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + ")";
}

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

NamedTensors CopyToCpu(const NamedTensors& tensors) {
  NamedTensors copies;
  for (const auto& [name, tensor] : tensors) {
    copies[name] = tensor.detach().to(at::kCPU, tensor.scalar_type(), /*non_blocking=*/false, /*copy=*/true,
                                      at::MemoryFormat::Contiguous);
  }
  return copies;
}

NamedTensors LoadTensors(const Bytes& bytes) {
  const SafetensorsFile file(bytes);
  NamedTensors tensors;
  for (const auto& [name, view] : file.tensors()) {
    at::Tensor tensor = ::torch::empty(view.shape, at::TensorOptions().dtype(TypeOf(view.type)));
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
