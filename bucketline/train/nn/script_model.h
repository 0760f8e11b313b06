// A TorchScript module as a Model: a network that was defined in Python and saved by torch.jit.
#pragma once

#include <memory>
#include <string>

#include "bucketline/train/nn/model.h"

namespace bucketline::nn {

// Reads the whole file or object. Its checkpoints hold model.pt too, which torch.jit.load reads back. Its
// graph is run operation by operation, without the fusions that TorchScript adds while it runs, so that a
// resumed run computes what the first would have. Throws kCorruptData: no TorchScript module;
// kInvalidArgument: a module without parameters that can be trained; and what the store says.
std::unique_ptr<Model> LoadScriptModel(Runtime& runtime, const std::string& uri);

}  // namespace bucketline::nn
