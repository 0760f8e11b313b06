#include "cli/train_report.h"

#include <cmath>
#include <cstdio>

#include "cli/stage_json.h"
#include "cli/train_json.h"
#include <fmt/format.h>

#include "bucketline/base/hash.h"
#include "bucketline/base/units.h"

namespace bucketline::cli {
namespace {

constexpr size_t kPrintedClasses = 20;

std::string Percent(double share) {
  return std::isnan(share) ? std::string("none") : fmt::format("{:.1f} %", share * 100);
}

}  // namespace

TrainReportOptions TrainReportOptions::OfRank(uint64_t rank) const {
  TrainReportOptions options;
  if (!batch_log.empty()) options.batch_log = fmt::format("{}.{}", batch_log, rank);
  options.batches_only = true;
  return options;
}

TrainReport::TrainReport(Runtime& runtime, const TrainReportOptions& options)
    : runtime_(runtime), options_(options), log_(options.log), batch_log_(options.batch_log) {}

void TrainReport::Say(const std::string& text) {
  line_.Clear();
  std::FILE* out = options_.json ? stderr : stdout;
  fmt::print(out, "{}\n", text);
  std::fflush(out);
}

void TrainReport::Log(const nlohmann::ordered_json& object) {
  log_.Write(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void TrainReport::Begin(const TrainingData& train, const Dataset* validation, const TrainOptions& options) {
  if (options_.batches_only) return;
  epochs_ = options.epochs;
  classes_ = train.classes();
  if (validation != nullptr) validation_ = *validation;
  const std::optional<uint64_t> images = train.images();
  Say(fmt::format("{}: {} to train on, {} to validate, {} classes", train.source(),
                  images ? fmt::format("{} images", *images) : "a stream of images",
                  validation == nullptr ? 0 : validation->size(), train.classes().size()));
  Log({{"event", "begin"},
       {"source", train.source()},
       {"train_images", images ? nlohmann::ordered_json(*images) : nlohmann::ordered_json()},
       {"validation_images", validation == nullptr ? 0 : validation->size()},
       {"classes", train.classes()},
       {"seed", options.seed}});
}

TrainObserver TrainReport::Observer() {
  TrainObserver observer;
  if (batch_log_.is_open()) observer.on_batch = [this](const Batch& batch) { OnBatch(batch); };
  if (options_.batches_only) return observer;
  observer.on_resume = [this](uint64_t step, uint64_t epoch) {
    Say(fmt::format("resumed after step {}, in epoch {}", step, epoch + 1));
    Log({{"event", "resume"}, {"step", step}, {"epoch", epoch}});
  };
  if (!options_.predictions.empty()) {
    observer.on_validation = [this](const Predictions& predictions, const ClassificationReport&) {
      WritePredictions(predictions, *validation_, options_.predictions);
    };
  }
  observer.on_step = [this](const TrainProgress& progress) { OnStep(progress); };
  observer.on_epoch = [this](const EpochReport& report) { OnEpoch(report); };
  observer.on_checkpoint = [this](uint64_t step, const std::string& uri, double seconds) {
    Log({{"event", "checkpoint"}, {"step", step}, {"uri", uri}, {"seconds", seconds}});
  };
  return observer;
}

void TrainReport::OnBatch(const Batch& batch) {
  const std::string_view pixels(reinterpret_cast<const char*>(batch.pixels()), batch.pixel_bytes());
  nlohmann::ordered_json records = nlohmann::ordered_json::array();
  for (size_t row = 0; row < batch.indices().size(); ++row) {
    if (batch.valid()[row]) records.push_back(batch.indices()[row]);
  }
  const nlohmann::ordered_json object = {{"epoch", batch.epoch()},
                                         {"position", batch.position()},
                                         {"records", records},
                                         {"pixels", fmt::format("{:016x}", StableHash64(pixels))}};
  batch_log_.Write(object.dump());
}

void TrainReport::OnStep(const TrainProgress& progress) {
  line_.Update([&] {
    return fmt::format(
        "epoch {}/{}  step {}{}  {:.0f} images/s  loss {:.4f}  accuracy {:.3f}  waiting {:.1f} %",
        progress.epoch + 1, progress.epochs, progress.step_in_epoch,
        progress.steps_in_epoch > 0 ? fmt::format("/{}", progress.steps_in_epoch) : "",
        progress.images_per_second, progress.loss, progress.accuracy, progress.wait_share * 100);
  });
  Log({{"event", "step"},
       {"epoch", progress.epoch},
       {"step", progress.step},
       {"loss", progress.loss},
       {"accuracy", progress.accuracy},
       {"batch_loss", progress.batch_loss},
       {"learning_rate", progress.learning_rate},
       {"images_per_second", progress.images_per_second},
       {"wait_share", progress.wait_share}});
  if (EventLog* events = Events(progress.step)) {
    events->Add("train/loss", progress.step, progress.batch_loss);
    events->Add("train/learning_rate", progress.step, progress.learning_rate);
    events->Add("train/images_per_second", progress.step, progress.images_per_second);
    events->Add("train/wait_share", progress.step, progress.wait_share);
  }
}

EventLog* TrainReport::Events(uint64_t first_step) {
  if (options_.tensorboard.empty()) return nullptr;
  if (!events_) events_ = std::make_unique<EventLog>(runtime_, options_.tensorboard, first_step);
  return events_.get();
}

void TrainReport::OnEpoch(const EpochReport& report) {
  std::string text =
      fmt::format("epoch {}/{}  {:.0f} images/s  loss {:.4f}  accuracy {:.3f}", report.epoch + 1, epochs_,
                  report.images_per_second, report.loss, report.accuracy);
  if (!std::isnan(report.validation_accuracy)) {
    text += fmt::format("  validation loss {:.4f}  validation accuracy {:.3f}", report.validation_loss,
                        report.validation_accuracy);
  }
  Say(text + fmt::format("  waiting {:.1f} %", report.wait_share * 100));
  Log({{"event", "epoch"},
       {"epoch", report.epoch},
       {"step", report.step},
       {"loss", report.loss},
       {"accuracy", report.accuracy},
       {"validation_loss", OrNull(report.validation_loss)},
       {"validation_accuracy", OrNull(report.validation_accuracy)},
       {"validation_auc", OrNull(report.validation_auc)},
       {"best", report.best},
       {"learning_rate", report.learning_rate},
       {"images_per_second", report.images_per_second},
       {"wait_share", report.wait_share},
       {"seconds", report.seconds}});
  if (EventLog* events = Events(report.step)) {
    events->Add("epoch/loss", report.step, report.loss);
    events->Add("epoch/accuracy", report.step, report.accuracy);
    if (!std::isnan(report.validation_loss)) {
      events->Add("validation/loss", report.step, report.validation_loss);
      events->Add("validation/accuracy", report.step, report.validation_accuracy);
    }
    if (!std::isnan(report.validation_auc)) events->Add("validation/auc", report.step, report.validation_auc);
    events->Flush();
  }
}

void TrainReport::End(const TrainResult& result, const S3Counters& counters) {
  if (options_.batches_only) return;
  if (events_) events_->Close();
  const LoaderStats& stages = result.loader;
  nlohmann::ordered_json summary = {
      {"event", "end"},
      {"stopped", result.stopped},
      {"early_stopped", result.early_stopped},
      {"steps", result.steps},
      {"images", result.images},
      {"seconds", result.seconds},
      {"wait_seconds", result.wait_seconds},
      {"images_per_second", result.last.images_per_second},  // of the last whole epoch, as wait_share
      {"wait_share", result.last.wait_share},
      {"loss", result.last.loss},
      {"accuracy", result.last.accuracy},
      {"validation_loss", OrNull(result.last.validation_loss)},
      {"validation_accuracy", OrNull(result.last.validation_accuracy)},
      {"validation_auc", OrNull(result.last.validation_auc)},
      {"best_validation_accuracy", OrNull(result.best_validation_accuracy)},
      {"best", OrNull(result.best)},
      {"requests", counters.requests.value()},
      {"bytes_read", counters.bytes_read.value()},
      {"bytes_written", counters.bytes_written.value()},
      {"retries", counters.retries.value()},
      {"throttled", counters.throttled.value()},
      {"hedges", counters.hedges.value()},
      {"hedges_won", counters.hedges_won.value()},
      {"cache", CacheJson(runtime_.cache_stats())},
      {"skipped", stages.skipped},
      {"stages", {{"fetch", StageJson(stages.fetch)}, {"decode", StageJson(stages.decode)}}}};
  summary["validation"] =
      result.validation ? ReportJson(*result.validation, classes_) : nlohmann::ordered_json(nullptr);
  Log(summary);
  line_.Clear();
  if (options_.json) {
    fmt::print("{}\n", summary.dump());
    return;
  }
  fmt::print("{} after {} steps, {} images, {:.1f} s\n",
             result.stopped         ? "stopped"
             : result.early_stopped ? "stopped early, because validation no longer improved,"
                                    : "done",
             result.steps, result.images, result.seconds);
  PrintFigures(result);
  fmt::print("{} requests, {} read, {} written, {} retries\n", counters.requests.value(),
             FormatByteSize(counters.bytes_read.value()), FormatByteSize(counters.bytes_written.value()),
             counters.retries.value());
  fmt::print(
      "time by stage, summed over threads: fetch {:.2f} s, decode {:.2f} s ({:.2f} s of CPU); the training "
      "waited {:.2f} s\n",
      Seconds(stages.fetch.wall), Seconds(stages.decode.wall), Seconds(stages.decode.cpu),
      result.wait_seconds);
}

void TrainReport::PrintFigures(const TrainResult& result) const {
  if (!result.validation) return;
  const ClassificationReport& report = *result.validation;
  fmt::print("validation accuracy {:.3f} (best {:.3f})", report.accuracy, result.best_validation_accuracy);
  if (!std::isnan(report.auc)) fmt::print(", AUC {:.4f}", report.auc);
  fmt::print("\n");
  for (size_t i = 0; i < report.classes.size() && i < kPrintedClasses; ++i) {
    const ClassFigures& figures = report.classes[i];
    fmt::print("  {}: {} images, precision {}, recall {}\n", classes_[i], figures.support,
               Percent(figures.precision), Percent(figures.recall));
  }
  if (report.classes.size() > kPrintedClasses) {
    fmt::print("  and {} more classes; --json and --log have them all\n",
               report.classes.size() - kPrintedClasses);
  }
}

}  // namespace bucketline::cli
