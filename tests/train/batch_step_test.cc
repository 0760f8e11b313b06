// The losses, precision and loss scaling, against plain formulas and double precision.
#include "bucketline/train/nn/batch_step.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "bucketline/train/nn/mobilenet_v2.h"
#include "bucketline/train/nn/precision.h"

namespace bucketline::nn {
namespace {

constexpr double kTolerance = 1e-6;

// Row by row in double: sum(w * -sum_c q_c log p_c) / sum(w), q = (1 - s) onehot + s / C.
double LossByHand(const at::Tensor& probabilities, const at::Tensor& labels, std::vector<double> weights,
                  double smoothing, int64_t classes) {
  double sum = 0, weight_sum = 0;
  for (int64_t row = 0; row < labels.size(0); ++row) {
    const auto label = labels[row].item<int64_t>();
    const double weight = weights.empty() ? 1 : weights[static_cast<size_t>(label)];
    double loss = 0;
    for (int64_t c = 0; c < classes; ++c) {
      const double truth = (1 - smoothing) * (c == label) + smoothing / static_cast<double>(classes);
      loss -= truth * std::log(probabilities[row][c].item<double>());
    }
    sum += weight * loss;
    weight_sum += weight;
  }
  return sum / weight_sum;
}

TEST(MeanLoss, BinaryIsTheWeightedMeanOfTheFormula) {
  const at::Tensor logits = ::torch::tensor({1.5, -0.3, 0.0, -2.0}).reshape({4, 1}).to(at::kFloat);
  const at::Tensor labels = ::torch::tensor({1, 1, 0, 0}, at::kLong);
  const at::Tensor positive = logits.to(at::kDouble).sigmoid();
  const at::Tensor probabilities = at::cat({1 - positive, positive}, 1);
  for (const double smoothing : {0.0, 0.2}) {
    for (const std::vector<double>& weights : {std::vector<double>{}, {1.0, 3.0}}) {
      LossOptions options{.kind = LossKind::kBinaryCrossEntropy, .label_smoothing = smoothing};
      if (!weights.empty()) options.class_weights = ::torch::tensor(weights, at::kFloat);
      EXPECT_NEAR(MeanLoss(logits, labels, options).item<double>(),
                  LossByHand(probabilities, labels, weights, smoothing, 2), kTolerance)
          << smoothing << " " << weights.size();
    }
  }
}

TEST(MeanLoss, CategoricalIsTheWeightedMeanOfTheFormula) {
  ::torch::manual_seed(1);
  const at::Tensor logits = ::torch::randn({6, 3});
  const at::Tensor labels = ::torch::tensor({0, 1, 2, 2, 2, 1}, at::kLong);
  const at::Tensor probabilities = logits.to(at::kDouble).softmax(1);
  const std::vector<double> weights = {0.5, 2, 1};
  LossOptions options{.kind = LossKind::kCategoricalCrossEntropy};
  EXPECT_NEAR(MeanLoss(logits, labels, options).item<double>(), LossByHand(probabilities, labels, {}, 0, 3),
              kTolerance);
  options.class_weights = ::torch::tensor(weights, at::kFloat);
  EXPECT_NEAR(MeanLoss(logits, labels, options).item<double>(),
              LossByHand(probabilities, labels, weights, 0, 3), kTolerance);
  options.class_weights = at::Tensor();
  options.label_smoothing = 0.1;
  EXPECT_NEAR(MeanLoss(logits, labels, options).item<double>(), LossByHand(probabilities, labels, {}, 0.1, 3),
              kTolerance);
}

TEST(MeanLoss, OfHalfPrecisionLogitsIsFloat32) {
  const at::Tensor labels = ::torch::tensor({1}, at::kLong);
  for (const LossKind kind : {LossKind::kBinaryCrossEntropy, LossKind::kCategoricalCrossEntropy}) {
    const at::Tensor logits = ::torch::zeros({1, OutputsFor(kind, 2)}, at::kBFloat16);
    const at::Tensor loss = MeanLoss(logits, labels, {.kind = kind});
    EXPECT_EQ(loss.scalar_type(), at::kFloat);
    EXPECT_NEAR(loss.item<double>(), std::log(2), kTolerance);
  }
}

TEST(Probabilities, OfBothLossesAddUpToOneAndAgreeWithThePrediction) {
  const at::Tensor binary = ::torch::tensor({2.0, -1.0, 40.0}).reshape({3, 1}).to(at::kFloat);
  const at::Tensor scores = Probabilities(binary, LossKind::kBinaryCrossEntropy);
  EXPECT_EQ(scores.sizes(), (at::IntArrayRef{3, 2}));
  EXPECT_TRUE(scores.sum(1).allclose(::torch::ones({3})));
  EXPECT_TRUE(scores.argmax(1).equal(Predicted(binary, LossKind::kBinaryCrossEntropy)));
  EXPECT_GT(scores[2][0].item<float>(), 0);  // 1 - sigmoid would have lost it
  const at::Tensor many = ::torch::tensor({1.0, 3.0, 2.0}).reshape({1, 3}).to(at::kFloat);
  EXPECT_TRUE(Probabilities(many, LossKind::kCategoricalCrossEntropy).allclose(many.softmax(1)));
  EXPECT_EQ(Predicted(many, LossKind::kCategoricalCrossEntropy).item<int64_t>(), 1);
}

TEST(Autocast, ConvolutionsRunInItAndOnlyWhileItLives) {
  const at::Tensor images = ::torch::randn({1, 3, 8, 8}), kernel = ::torch::randn({4, 3, 3, 3});
  const auto type = [&] { return at::conv2d(images, kernel).scalar_type(); };
  EXPECT_EQ(type(), at::kFloat);
  {
    const Autocast autocast(Precision::kBfloat16, at::Device(at::kCPU));
    EXPECT_EQ(type(), at::kBFloat16);
  }
  EXPECT_EQ(type(), at::kFloat);
  const Autocast none(Precision::kFloat32, at::Device(at::kCPU));
  EXPECT_EQ(type(), at::kFloat);
}

// A cast that is kept beyond the forward pass would hide the optimiser's step.
TEST(Autocast, SeesParametersThatHaveChanged) {
  const at::Tensor images = ::torch::ones({1, 1, 3, 3}),
                   kernel = ::torch::ones({1, 1, 3, 3}).requires_grad_();
  const auto result = [&] {
    const Autocast autocast(Precision::kBfloat16, at::Device(at::kCPU));
    return at::conv2d(images, kernel).item<double>();
  };
  EXPECT_EQ(result(), 9);
  {
    const ::torch::NoGradGuard no_grad;
    kernel.mul_(2);
  }
  EXPECT_EQ(result(), 18);
}

TEST(Unscale, DividesAndFindsOverflow) {
  std::vector<at::Tensor> gradients = {::torch::full({3}, 8.0f), ::torch::full({2, 2}, -4.0f)};
  EXPECT_TRUE(Unscale(gradients, 4));
  EXPECT_TRUE(gradients[0].equal(::torch::full({3}, 2.0f)));
  EXPECT_TRUE(gradients[1].equal(::torch::full({2, 2}, -1.0f)));
  gradients[1][0][1] = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(Unscale(gradients, 4));
  gradients[1][0][1] = std::nanf("");
  EXPECT_FALSE(Unscale(gradients, 4));
  std::vector<at::Tensor> none;
  EXPECT_TRUE(Unscale(none, 4));
}

}  // namespace
}  // namespace bucketline::nn
