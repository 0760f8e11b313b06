#include "bucketline/train/nn/sync_batch_norm.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>
#include <torch/utils.h>

namespace bucketline::nn {
namespace {

namespace autograd = ::torch::autograd;

constexpr int64_t kChannelDimension = 1;

const std::vector<int64_t>& OverRows() {
  static const std::vector<int64_t> dimensions = {0, 2, 3};
  return dimensions;
}

// (C) as (1, C, 1, 1).
at::Tensor PerChannel(const at::Tensor& values) { return values.reshape({1, -1, 1, 1}); }

// Sums over ranks, wherever the tensor lies.
at::Tensor SumOverRanks(RankGroup& ranks, const at::Tensor& values) {
  const at::Tensor here = values.to(at::kCPU, at::kDouble).contiguous();
  ranks.Sum(here)->Wait();
  return here.to(values.device());
}

// Rows and pixels of all ranks, their mean, and their variance (of the population).
struct Moments {
  double count = 0;
  at::Tensor mean;
  at::Tensor variance;
};

// From each rank's own mean and variance, added up in double precision, where squares of the means lose nothing.
Moments MomentsOf(RankGroup& ranks, const at::Tensor& x) {
  const int64_t channels = x.size(kChannelDimension);
  const auto count = static_cast<double>(x.numel() / channels);
  const auto [variance, mean] = at::var_mean(x.to(at::kFloat), OverRows(), /*correction=*/0);
  const at::Tensor means = mean.to(at::kDouble);
  const at::Tensor local = at::cat({means * count, (variance.to(at::kDouble) + means * means) * count,
                                    ::torch::full({1}, count, means.options())});
  const at::Tensor sums = SumOverRanks(ranks, local);
  Moments moments;
  moments.count = sums[-1].item<double>();
  const at::Tensor global = sums.narrow(0, 0, channels) / moments.count;
  moments.mean = global.to(at::kFloat);
  moments.variance =
      (sums.narrow(0, channels, channels) / moments.count - global * global).clamp_min(0).to(at::kFloat);
  return moments;
}

class Normalise : public autograd::Function<Normalise> {
 public:
  static at::Tensor forward(autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& mean, const at::Tensor& variance,
                            double epsilon, double count, int64_t ranks) {
    context->save_for_backward({x, weight, mean, (variance + epsilon).rsqrt()});
    context->saved_data["count"] = count;
    context->saved_data["ranks"] = ranks;
    return at::batch_norm(x, weight, bias, mean, variance, /*training=*/false, /*momentum=*/0, epsilon,
                          /*cudnn_enabled=*/false);
  }

  static autograd::variable_list backward(autograd::AutogradContext* context,
                                          const autograd::variable_list& gradients) {
    const autograd::variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &deviation = saved[3];
    const double count = context->saved_data["count"].toDouble();
    auto& ranks = *reinterpret_cast<RankGroup*>(context->saved_data["ranks"].toInt());
    const at::Tensor gradient = gradients[0].to(at::kFloat);
    const at::Tensor normal = (x.to(at::kFloat) - PerChannel(mean)) * PerChannel(deviation);
    const at::Tensor bias_gradient = gradient.sum(OverRows());
    const at::Tensor weight_gradient = (gradient * normal).sum(OverRows());
    const int64_t channels = weight.size(0);
    // What each row's normalisation owes to all rows; the parameters' own gradients are averaged with all others.
    const at::Tensor sums = SumOverRanks(ranks, at::cat({bias_gradient, weight_gradient})) / count;
    const at::Tensor mean_gradient = sums.narrow(0, 0, channels).to(at::kFloat);
    const at::Tensor normal_gradient = sums.narrow(0, channels, channels).to(at::kFloat);
    const at::Tensor x_gradient =
        (gradient - PerChannel(mean_gradient) - normal * PerChannel(normal_gradient)) *
        PerChannel(weight * deviation);
    return {x_gradient.to(x.scalar_type()), weight_gradient, bias_gradient, {}, {}, {}, {}, {}};
  }
};

}  // namespace

BatchNormImpl::BatchNormImpl(int64_t channels, RankGroup* ranks)
    : ::torch::nn::BatchNorm2dImpl(channels), ranks_(ranks) {}

at::Tensor BatchNormImpl::forward(const at::Tensor& x) {
  if (ranks_ == nullptr || !is_training()) return ::torch::nn::BatchNorm2dImpl::forward(x);
  Moments moments;
  {
    const ::torch::NoGradGuard no_grad;
    moments = MomentsOf(*ranks_, x);
    const double momentum = options.momentum().value();
    const double unbiased = moments.count / std::max(1.0, moments.count - 1);
    running_mean.mul_(1 - momentum).add_(moments.mean, momentum);
    running_var.mul_(1 - momentum).add_(moments.variance, momentum * unbiased);
    num_batches_tracked.add_(1);
  }
  return Normalise::apply(x, weight, bias, moments.mean, moments.variance, options.eps(), moments.count,
                          reinterpret_cast<int64_t>(ranks_));
}

}  // namespace bucketline::nn
