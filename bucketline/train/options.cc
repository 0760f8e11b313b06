#include "bucketline/train/options.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"

namespace bucketline {
namespace {

void Require(bool holds, std::string message) {
  if (!holds) throw Error(ErrorCode::kInvalidArgument, std::move(message));
}

ImageSpec SquareImage(ImageSpec spec, int size) {
  spec.height = size;
  spec.width = size;
  spec.channels = 3;
  spec.type = PixelType::kFloat32;
  spec.scale = ImageSpec().scale;
  spec.layout = PixelLayout::kNhwc;  // what channels_last convolutions read without a copy
  spec.mean = ImageSpec::kImagenetMean;
  spec.std = ImageSpec::kImagenetStd;
  return spec;
}

}  // namespace

std::string_view OptimizerName(OptimizerKind optimizer) {
  return optimizer == OptimizerKind::kAdam ? "adam" : "sgd";
}

std::string_view LossName(LossKind loss) {
  return loss == LossKind::kBinaryCrossEntropy ? "binary_crossentropy" : "categorical_crossentropy";
}

std::string_view PrecisionName(Precision precision) {
  switch (precision) {
    case Precision::kBfloat16:
      return "bfloat16";
    case Precision::kFloat16:
      return "float16";
    case Precision::kFloat32:
      break;
  }
  return "float32";
}

CheckpointSchedule CheckpointSchedule::Parse(std::string_view text) {
  constexpr std::string_view kSteps = "steps";
  CheckpointSchedule schedule;
  if (text.ends_with(kSteps)) {
    const std::string_view digits = text.substr(0, text.size() - kSteps.size());
    uint64_t steps = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), steps);
    Require(status == std::errc() && end == digits.data() + digits.size() && steps > 0,
            fmt::format("\"{}\" is not a number of steps such as 500steps", text));
    schedule.steps = steps;
  } else {
    schedule.period = ParseDuration(text);
    Require(schedule.period->count() > 0,
            fmt::format("\"{}\" is no time between checkpoints; write 60s", text));
  }
  return schedule;
}

void TrainOptions::Validate() const {
  Require(model == "mobilenet_v2" || UsesTorchScript(),
          fmt::format("unknown model \"{}\"; write mobilenet_v2, or the .pt file of a TorchScript module",
                      model));
  Require(!UsesTorchScript() || (width == kDefaultWidth && dropout == kDefaultDropout),
          "width and dropout are mobilenet_v2's; a TorchScript module has its own");
  Require(std::isfinite(width) && width > 0 && width <= 4, fmt::format("width {} is not in (0, 4]", width));
  Require(dropout >= 0 && dropout < 1, fmt::format("dropout {} is not in [0, 1)", dropout));
  Require(std::isfinite(learning_rate) && learning_rate > 0,
          fmt::format("learning rate {} is not above 0", learning_rate));
  Require(momentum >= 0 && momentum < 1, fmt::format("momentum {} is not in [0, 1)", momentum));
  Require(std::isfinite(weight_decay) && weight_decay >= 0,
          fmt::format("weight decay {} is below 0", weight_decay));
  schedule.Validate();
  Require(label_smoothing >= 0 && label_smoothing < 1,
          fmt::format("label smoothing {} is not in [0, 1)", label_smoothing));
  Require(precision != Precision::kFloat16 || device != DeviceKind::kCpu,
          "float16 needs a GPU; on the CPU use bfloat16");
  Require(epochs > 0, "epochs must be at least 1");
  // MobileNetV2 halves five times.
  Require(image_size >= 32 && image_size <= 4096,
          fmt::format("image size {} is not in 32..4096", image_size));
  Require(keep > 0, "keep must be at least 1");
  Require(ranks.world_size >= 1 && ranks.rank < ranks.world_size,
          fmt::format("rank {} of {} ranks: ranks count from 0", ranks.rank, ranks.world_size));
  Require(rank_timeout >= std::chrono::seconds(1), "the rank timeout must be at least 1s");
  Require(!sync_batch_norm || !UsesTorchScript(),
          "synchronised batch norm is mobilenet_v2's; a TorchScript module has its own batch norm");
  Require(
      !sync_batch_norm || on_error != OnError::kMask,
      "synchronised batch norm needs rows on every rank at every step, and masked samples may leave a rank "
      "without; replace bad samples with on_error skip");
  Require(checkpoint.empty() ? !resume : true, "resume needs the checkpoint folder to resume from");
  TrainImage().Validate();
}

ImageSpec TrainOptions::TrainImage() const {
  ImageSpec spec = SquareImage(image, image_size);
  spec.crop = crop;
  spec.flip = flip;
  return spec;
}

ImageSpec TrainOptions::ValidationImage() const {
  ImageSpec spec = SquareImage(image, image_size);
  spec.crop = crop == Crop::kRandomResized ? Crop::kCenter : crop;
  spec.flip = 0;
  spec.jitter = {};
  return spec;
}

LossKind ChooseLoss(std::optional<LossKind> wanted, size_t classes) {
  Require(classes >= 2, fmt::format("training needs at least two classes, and the labels have {}; "
                                    "check the label source",
                                    classes));
  const LossKind natural = classes == 2 ? LossKind::kBinaryCrossEntropy : LossKind::kCategoricalCrossEntropy;
  Require(
      !(wanted == LossKind::kBinaryCrossEntropy && classes > 2),
      fmt::format("binary cross-entropy needs two classes, and there are {}; use categorical_crossentropy",
                  classes));
  return wanted.value_or(natural);
}

}  // namespace bucketline
