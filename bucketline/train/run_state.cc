#include "bucketline/train/run_state.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"
#include "bucketline/base/json_numbers.h"

namespace bucketline {
namespace {

constexpr int kFormat = 1;

template <typename T>
void RequireSame(const T& saved, const T& wanted, std::string_view what, const std::string& origin) {
  if (saved == wanted) return;
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("the checkpoint was saved with {} {}, and this run has {}; use the same, or another "
                  "checkpoint folder",
                  what, saved, wanted),
      origin);
}

}  // namespace

std::string RunState::ToJson() const {
  const nlohmann::ordered_json json = {{"format", kFormat},
                                       {"step", step},
                                       {"loader", nlohmann::json::parse(loader.ToJson())},
                                       {"epoch_loss_sum", epoch_loss_sum},
                                       {"epoch_correct", epoch_correct},
                                       {"epoch_rows", epoch_rows},
                                       {"best_validation_accuracy", best_validation_accuracy},
                                       {"model", model},
                                       {"width", width},
                                       {"optimizer", optimizer},
                                       {"loss", loss},
                                       {"classes", classes},
                                       {"image_size", image_size},
                                       {"schedule", schedule},
                                       {"class_weights", class_weights},
                                       {"label_smoothing", label_smoothing},
                                       {"precision", precision},
                                       {"monitor", monitor},
                                       {"best", improvement.best ? nlohmann::ordered_json(*improvement.best)
                                                                 : nlohmann::ordered_json(nullptr)},
                                       {"epochs_since_best", improvement.epochs_since},
                                       {"loss_scale", loss_scale.scale},
                                       {"loss_scale_good_steps", loss_scale.good_steps}};
  return json.dump(1);
}

RunState RunState::FromJson(std::string_view text, const std::string& origin) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    if (json.at("format") != kFormat) {
      throw Error(ErrorCode::kUnsupported, "this checkpoint was written by another version of bucketline",
                  origin);
    }
    const nlohmann::json none = uint64_t{0};
    RunState state;
    state.step = WholeNumber(json.at("step"));
    state.loader = LoaderState::FromJson(json.at("loader").dump());
    state.epoch_loss_sum = json.at("epoch_loss_sum");
    state.epoch_correct = WholeNumber(json.at("epoch_correct"));
    state.epoch_rows = WholeNumber(json.at("epoch_rows"));
    state.best_validation_accuracy = json.at("best_validation_accuracy");
    state.model = json.at("model");
    state.width = json.at("width");
    state.optimizer = json.at("optimizer");
    state.loss = json.at("loss");
    state.classes = json.at("classes").get<std::vector<std::string>>();
    state.image_size = WholeNumber(json.at("image_size"));
    state.schedule = json.value("schedule", state.schedule);
    state.class_weights = json.value("class_weights", state.class_weights);
    state.label_smoothing = json.value("label_smoothing", state.label_smoothing);
    state.precision = json.value("precision", state.precision);
    state.monitor = json.value("monitor", state.monitor);
    if (json.contains("best") && !json.at("best").is_null()) state.improvement.best = json.at("best");
    state.improvement.epochs_since = WholeNumber(json.value("epochs_since_best", none));
    state.loss_scale.scale = json.value("loss_scale", LossScale::kInitial);
    state.loss_scale.good_steps = WholeNumber(json.value("loss_scale_good_steps", none));
    return state;
  } catch (const nlohmann::json::exception& exception) {
    throw Error(ErrorCode::kCorruptData,
                fmt::format("not the state of a training run ({})", exception.what()), origin);
  }
}

void RunState::RequireSameRun(const RunState& current, const std::string& origin) const {
  RequireSame(model, current.model, "model", origin);
  RequireSame(width, current.width, "width", origin);
  RequireSame(optimizer, current.optimizer, "optimizer", origin);
  RequireSame(loss, current.loss, "loss", origin);
  RequireSame(image_size, current.image_size, "image size", origin);
  RequireSame(classes, current.classes, "classes", origin);
  RequireSame(schedule, current.schedule, "the learning-rate schedule", origin);
  RequireSame(class_weights, current.class_weights, "class weights", origin);
  RequireSame(label_smoothing, current.label_smoothing, "label smoothing", origin);
  RequireSame(precision, current.precision, "precision", origin);
  RequireSame(monitor, current.monitor, "the monitored figure", origin);
}

}  // namespace bucketline
