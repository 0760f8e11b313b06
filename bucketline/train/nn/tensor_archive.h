// Named tensors of a module or optimiser <-> safetensors.
#pragma once

#include <map>
#include <string>

#include <torch/nn/module.h>

#include "bucketline/base/bytes.h"

namespace bucketline::nn {

using NamedTensors = std::map<std::string, at::Tensor>;

std::string ShapeText(at::IntArrayRef shape);  // "(2, 3)"

// Parameters and buffers by their dotted names; the tensors are the module's own.
NamedTensors StateOf(const ::torch::nn::Module& module);

// Throws kUnsupported for a tensor of a type that safetensors or TensorType lacks.
Bytes SaveTensors(const NamedTensors& tensors);

// Copies on the CPU, contiguous, which later training steps leave as they are.
NamedTensors CopyToCpu(const NamedTensors& tensors);

// Copies of the file's tensors. Throws what SafetensorsFile throws.
NamedTensors LoadTensors(const Bytes& bytes);

// Copies `source` into `target`, in place. Throws kInvalidArgument naming the first tensor that is missing,
// left over or of another shape, and `origin`. Names that `may_differ` accepts are skipped when their shapes
// differ; it returns how many were.
size_t CopyTensors(const NamedTensors& source, const NamedTensors& target, const std::string& origin,
                   const std::function<bool(const std::string& name)>& may_differ = {});

}  // namespace bucketline::nn
