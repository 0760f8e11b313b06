// TrainOptions: what to train and how; plain values, no LibTorch.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "bucketline/base/clock.h"
#include "bucketline/base/ranks.h"
#include "bucketline/image/spec.h"
#include "bucketline/loader/loader.h"
#include "bucketline/train/class_weights.h"
#include "bucketline/train/improvement.h"
#include "bucketline/train/schedule.h"

namespace bucketline {

enum class OptimizerKind { kAdam, kSgd };
enum class LossKind { kBinaryCrossEntropy, kCategoricalCrossEntropy };
enum class DeviceKind {
  kAuto,
  kCpu,
  kCuda
};  // kAuto: the first CUDA device if one can be used, else the CPU
enum class Precision { kFloat32, kBfloat16, kFloat16 };

// "adam", "sgd"; "binary_crossentropy", "categorical_crossentropy"; "float32", "bfloat16", "float16": as on
// the command line and in checkpoints.
std::string_view OptimizerName(OptimizerKind optimizer);
std::string_view LossName(LossKind loss);
std::string_view PrecisionName(Precision precision);

// When to save: after a time, or after a number of steps. Both absent: at the end of each epoch only.
struct CheckpointSchedule {
  std::optional<Duration> period;
  std::optional<uint64_t> steps;

  // "60s", "5m" or "500steps". Throws kInvalidArgument.
  static CheckpointSchedule Parse(std::string_view text);
};

struct TrainOptions {
  static constexpr double kDefaultWidth = 1.0;
  static constexpr double kDefaultDropout = 0.2;

  // "mobilenet_v2", or the file or object of a TorchScript module, which ends in ".pt": it takes float32
  // images (B, 3, H, W) and gives logits (B, classes), or (B, 1) for binary cross-entropy.
  std::string model = "mobilenet_v2";
  double width = kDefaultWidth;      // MobileNetV2's width multiplier
  double dropout = kDefaultDropout;  // before MobileNetV2's classifier
  OptimizerKind optimizer = OptimizerKind::kAdam;
  double learning_rate = 1e-3;
  LearningRateSchedule schedule = {};
  double momentum = 0.9;  // of SGD
  double weight_decay = 0;
  // Absent: binary for two classes, categorical for more; for a TorchScript module what its outputs fit.
  std::optional<LossKind> loss = {};
  // These two shape the loss of training only; validation's is the plain one, so that runs compare.
  ClassWeights class_weights = {};  // the mean over a batch is weighted: sum(weight * loss) / sum(weight)
  double label_smoothing = 0;       // the share of the truth that is spread over all classes
  uint64_t epochs = 10;
  uint64_t seed = 0;
  uint64_t window = 0;  // LoaderOptions::window: shards that the shuffle has open at a time; 0: all
  Monitor monitor = Monitor::kAccuracy;  // what says which epoch is the best: of validation
  uint64_t early_stop =
      0;  // end after this many epochs in a row that were not better than the best; 0: never

  DeviceKind device = DeviceKind::kAuto;
  // Of the model's activations. Parameters and losses stay float32. float16 needs CUDA and scales the loss.
  Precision precision = Precision::kFloat32;

  // This process's place among those that train one model together, each on its own part of every step, with their
  // gradients averaged. They meet at MASTER_ADDR:MASTER_PORT.
  Ranks ranks = {};
  // How long one rank waits for the others, at most: between them lie a batch, a checkpoint's copy and the validation's
  // end.
  Duration rank_timeout = std::chrono::minutes(10);
  // Batches are normalised over all ranks' rows; else each rank normalises its own.
  bool sync_batch_norm = false;

  uint32_t batch_size = 32;  // of each rank
  int image_size = 224;
  Crop crop = Crop::kNone;  // of training images; of validation images too, but kCenter for kRandomResized
  double flip = 0;          // of training images
  // What else images are made with: filter, family, jitter (of training images), orientation, limits. Size, crop,
  // flip, type, layout and normalisation are those that the model needs, whatever stands here.
  ImageSpec image = {};
  // Of LibTorch and of decoding; 0: as many as there are CPUs, shared among the ranks of this host.
  size_t threads = 0;
  uint64_t memory = uint64_t{1} << 30;
  OnError on_error = OnError::kRaise;
  std::function<void(const BadSample&)> on_bad_sample = {};

  std::string checkpoint = {};  // URI of a prefix or folder; empty: none
  CheckpointSchedule checkpoint_every = {};
  size_t keep = 3;      // checkpoints that stay, the best one besides
  bool resume = false;  // continue after the last complete checkpoint; start anew when there is none
  // A safetensors file or object to start from, or a checkpoint folder's best.json or latest.json.
  std::string weights = {};

  // Throws kInvalidArgument naming the option that is out of range.
  void Validate() const;

  bool UsesTorchScript() const { return model.ends_with(".pt"); }

  ImageSpec TrainImage() const;
  ImageSpec ValidationImage() const;
};

// The loss for this many classes. Throws kInvalidArgument: fewer than two classes, or binary loss for more
// than two.
LossKind ChooseLoss(std::optional<LossKind> wanted, size_t classes);

}  // namespace bucketline
