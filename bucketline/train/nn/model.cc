#include "bucketline/train/nn/model.h"

#include <torch/utils.h>

#include "bucketline/base/error.h"
#include "bucketline/train/nn/batch_step.h"
#include "bucketline/train/nn/mobilenet_v2.h"
#include "bucketline/train/nn/script_model.h"

namespace bucketline::nn {
namespace {

class BuiltInModel : public Model {
 public:
  BuiltInModel(const MobileNetV2Options& options, std::string name)
      : module_(options), name_(std::move(name)) {}

  at::Tensor Forward(const at::Tensor& images) override { return module_->forward(images); }
  void SetTraining(bool training) override { module_->train(training); }
  void Prepare(at::Device device) override {
    module_->to(device);
    UseChannelsLast(module_->parameters());
  }
  NamedParameters Parameters() override { return ParametersOf(*module_); }
  NamedTensors State() override { return StateOf(*module_); }
  std::string Fingerprint() const override { return name_; }

 private:
  MobileNetV2 module_;
  const std::string name_;
};

// One batch of black images, without gradients, to see what comes out.
int64_t OutputsOf(Model& model, const TrainOptions& options) {
  const ::torch::NoGradGuard no_grad;
  model.SetTraining(false);
  const at::Tensor images = ::torch::zeros({2, 3, options.image_size, options.image_size});
  const at::Tensor logits = model.Forward(images.contiguous(at::MemoryFormat::ChannelsLast));
  if (logits.dim() != 2 || logits.size(0) != 2 || !logits.is_floating_point()) {
    throw Error(ErrorCode::kInvalidArgument,
                "the module gives shape " + ShapeText(logits.sizes()) +
                    " for 2 images, and training needs floating-point logits (2, classes)",
                options.model);
  }
  return logits.size(1);
}

LossKind LossFor(int64_t outputs, const TrainOptions& options, size_t classes) {
  ChooseLoss(options.loss, classes);  // at least two classes, no binary loss for more
  for (const LossKind loss : {LossKind::kBinaryCrossEntropy, LossKind::kCategoricalCrossEntropy}) {
    if (OutputsFor(loss, classes) != outputs) continue;
    if (options.loss.value_or(loss) != loss) continue;
    if (loss == LossKind::kBinaryCrossEntropy && classes > 2) continue;
    return loss;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "the module gives " + std::to_string(outputs) + " logits an image, and " +
                  std::to_string(classes) + " classes need " + std::to_string(classes) +
                  (classes == 2 ? " with categorical_crossentropy or 1 with binary_crossentropy" : ""),
              options.model);
}

}  // namespace

void UseChannelsLast(const std::vector<at::Tensor>& parameters) {
  for (at::Tensor parameter : parameters) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
  }
}

NamedParameters ParametersOf(const ::torch::nn::Module& module) {
  NamedParameters parameters;
  for (const auto& item : module.named_parameters()) {
    if (item.value().requires_grad()) parameters.emplace_back(item.key(), item.value());
  }
  return parameters;
}

ModelAndLoss MakeModel(Runtime& runtime, const TrainOptions& options, size_t classes, RankGroup* sync_ranks) {
  ::torch::manual_seed(options.seed);
  if (options.UsesTorchScript()) {
    std::unique_ptr<Model> model = LoadScriptModel(runtime, options.model);
    const LossKind loss = LossFor(OutputsOf(*model, options), options, classes);
    return {std::move(model), loss};
  }
  const LossKind loss = ChooseLoss(options.loss, classes);
  const MobileNetV2Options network{.outputs = OutputsFor(loss, classes),
                                   .width = options.width,
                                   .dropout = options.dropout,
                                   .sync_ranks = sync_ranks};
  return {std::make_unique<BuiltInModel>(network, options.model), loss};
}

}  // namespace bucketline::nn
