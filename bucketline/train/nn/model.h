// Model: what the trainer knows of a network, whoever defined it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <torch/types.h>

#include "bucketline/base/bytes.h"
#include "bucketline/runtime/runtime.h"
#include "bucketline/train/nn/rank_group.h"
#include "bucketline/train/nn/tensor_archive.h"
#include "bucketline/train/options.h"

namespace bucketline::nn {

using NamedParameters = std::vector<std::pair<std::string, at::Tensor>>;

class Model {
 public:
  virtual ~Model() = default;

  virtual at::Tensor Forward(const at::Tensor& images) = 0;  // (B, 3, H, W) float32 -> logits (B, outputs)
  virtual void SetTraining(bool training) = 0;
  // Before an optimiser is made. Four-dimensional parameters become channels_last, which is what convolutions
  // of NHWC batches read without a copy.
  virtual void Prepare(at::Device device) = 0;

  virtual NamedParameters Parameters() = 0;  // those that want gradients, in a fixed order
  virtual NamedTensors State() = 0;          // every parameter and buffer; the tensors are the model's own
  // Further files of a checkpoint, beside State() as safetensors.
  virtual std::map<std::string, Bytes> Files() { return {}; }

  // What a checkpoint remembers: two models of the same fingerprint hold the same tensors.
  virtual std::string Fingerprint() const = 0;
};

// Those of a module that want gradients.
NamedParameters ParametersOf(const ::torch::nn::Module& module);
void UseChannelsLast(const std::vector<at::Tensor>& parameters);  // the four-dimensional ones, in place

struct ModelAndLoss {
  std::unique_ptr<Model> model;
  LossKind loss = LossKind::kBinaryCrossEntropy;
};

// The model that the options name, initialised from their seed or as its file says, and the loss that fits
// it. `sync_ranks`: whose batches are normalised as one; null: each its own. Throws kInvalidArgument: a module whose
// outputs fit neither loss, fewer than two classes; kCorruptData: a file that is no TorchScript module; and what the
// store says of a file.
ModelAndLoss MakeModel(Runtime& runtime, const TrainOptions& options, size_t classes,
                       RankGroup* sync_ranks = nullptr);

}  // namespace bucketline::nn
