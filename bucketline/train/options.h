// TrainOptions: what to train and how; plain values, no LibTorch.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "bucketline/base/clock.h"
#include "bucketline/image/spec.h"
#include "bucketline/loader/loader.h"

namespace bucketline {

enum class OptimizerKind { kAdam, kSgd };
enum class LossKind { kBinaryCrossEntropy, kCategoricalCrossEntropy };

// "adam", "sgd"; "binary_crossentropy", "categorical_crossentropy": as on the command line and in
// checkpoints.
std::string_view OptimizerName(OptimizerKind optimizer);
std::string_view LossName(LossKind loss);

// When to save: after a time, or after a number of steps. Both absent: at the end of each epoch only.
struct CheckpointSchedule {
  std::optional<Duration> period;
  std::optional<uint64_t> steps;

  // "60s", "5m" or "500steps". Throws kInvalidArgument.
  static CheckpointSchedule Parse(std::string_view text);
};

struct TrainOptions {
  std::string model = "mobilenet_v2";
  double width = 1.0;    // MobileNetV2's width multiplier
  double dropout = 0.2;  // before the classifier
  OptimizerKind optimizer = OptimizerKind::kAdam;
  double learning_rate = 1e-3;
  double momentum = 0.9;  // of SGD
  double weight_decay = 0;
  std::optional<LossKind> loss = {};  // absent: binary for two classes, categorical for more
  uint64_t epochs = 10;
  uint64_t seed = 0;

  uint32_t batch_size = 32;
  int image_size = 224;
  Crop crop = Crop::kNone;  // of training images; of validation images too, but kCenter for kRandomResized
  double flip = 0;          // of training images
  // What else images are made with: filter, family, jitter (of training images), orientation, limits. Size, crop,
  // flip, type, layout and normalisation are those that the model needs, whatever stands here.
  ImageSpec image = {};
  size_t threads = 0;  // of LibTorch and of decoding; 0: as many as there are CPUs
  uint64_t memory = uint64_t{1} << 30;
  OnError on_error = OnError::kRaise;
  std::function<void(const BadSample&)> on_bad_sample = {};

  std::string checkpoint = {};  // URI of a prefix or folder; empty: none
  CheckpointSchedule checkpoint_every = {};
  size_t keep = 3;           // checkpoints that stay
  bool resume = false;       // continue after the last complete checkpoint; start anew when there is none
  std::string weights = {};  // safetensors file or object to start from

  // Throws kInvalidArgument naming the option that is out of range.
  void Validate() const;

  ImageSpec TrainImage() const;
  ImageSpec ValidationImage() const;
};

// The loss for this many classes. Throws kInvalidArgument: fewer than two classes, or binary loss for more
// than two.
LossKind ChooseLoss(std::optional<LossKind> wanted, size_t classes);

}  // namespace bucketline
