#include "bucketline/train/nn/mobilenet_v2.h"

#include <algorithm>
#include <cstdint>

#include "bucketline/train/nn/sync_batch_norm.h"

namespace bucketline::nn {
namespace {

namespace tnn = ::torch::nn;

// Table 2 of the paper: expansion, channels, repetitions, first stride.
constexpr int64_t kStages[][4] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                  {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

// nn::Sequential with a forward that is no template, so that one can hold another.
class ChainImpl : public tnn::SequentialImpl {
 public:
  using tnn::SequentialImpl::SequentialImpl;
  at::Tensor forward(at::Tensor x) { return tnn::SequentialImpl::forward(std::move(x)); }
};
TORCH_MODULE(Chain);

// The nearest multiple of 8 that is not more than 10 % below.
int64_t RoundChannels(double channels) {
  const int64_t rounded = std::max<int64_t>(8, static_cast<int64_t>(channels + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * channels ? rounded + 8 : rounded;
}

tnn::Conv2d Convolution(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t groups) {
  return tnn::Conv2d(tnn::Conv2dOptions(in, out, kernel)
                         .stride(stride)
                         .padding((kernel - 1) / 2)
                         .groups(groups)
                         .bias(false));
}

Chain ConvNormRelu(RankGroup* ranks, int64_t in, int64_t out, int64_t kernel, int64_t stride,
                   int64_t groups = 1) {
  return Chain(Convolution(in, out, kernel, stride, groups), BatchNorm(out, ranks), tnn::ReLU6());
}

class InvertedResidualImpl : public tnn::Module {
 public:
  InvertedResidualImpl(RankGroup* ranks, int64_t in, int64_t out, int64_t stride, int64_t expansion)
      : residual_(stride == 1 && in == out) {
    const int64_t hidden = in * expansion;
    Chain conv;
    if (expansion != 1) conv->push_back(ConvNormRelu(ranks, in, hidden, 1, 1));
    conv->push_back(ConvNormRelu(ranks, hidden, hidden, 3, stride, hidden));
    conv->push_back(Convolution(hidden, out, 1, 1, 1));
    conv->push_back(BatchNorm(out, ranks));
    conv_ = register_module("conv", conv);
  }

  at::Tensor forward(at::Tensor x) { return residual_ ? x + conv_->forward(x) : conv_->forward(x); }

 private:
  const bool residual_;
  Chain conv_{nullptr};
};
TORCH_MODULE(InvertedResidual);

void Initialise(tnn::Module& module) {
  if (auto* convolution = module.as<tnn::Conv2d>()) {
    tnn::init::kaiming_normal_(convolution->weight, 0, ::torch::kFanOut, ::torch::kReLU);
  } else if (auto* linear = module.as<tnn::Linear>()) {
    tnn::init::normal_(linear->weight, 0, 0.01);
    tnn::init::zeros_(linear->bias);
  }  // batch norm starts at one and zero by itself
}

}  // namespace

MobileNetV2Impl::MobileNetV2Impl(const MobileNetV2Options& options) {
  int64_t channels = RoundChannels(32 * options.width);
  const int64_t last = RoundChannels(1280 * std::max(1.0, options.width));
  tnn::Sequential features;
  features->push_back(ConvNormRelu(options.sync_ranks, 3, channels, 3, 2));
  for (const auto& [expansion, base, repetitions, first_stride] : kStages) {
    const int64_t out = RoundChannels(static_cast<double>(base) * options.width);
    for (int64_t i = 0; i < repetitions; ++i) {
      features->push_back(
          InvertedResidual(options.sync_ranks, channels, out, i == 0 ? first_stride : 1, expansion));
      channels = out;
    }
  }
  features->push_back(ConvNormRelu(options.sync_ranks, channels, last, 1, 1));
  features_ = register_module("features", features);
  classifier_ = register_module(
      "classifier", tnn::Sequential(tnn::Dropout(options.dropout), tnn::Linear(last, options.outputs)));
  for (const auto& module : modules(/*include_self=*/false)) Initialise(*module);
}

at::Tensor MobileNetV2Impl::forward(at::Tensor images) {
  return classifier_->forward(features_->forward(std::move(images)).mean({2, 3}));
}

}  // namespace bucketline::nn
