// bucketline train: fits a model to images that stay in S3.
#include <memory>
#include <optional>
#include <utility>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/image_options.h"
#include "cli/train_report.h"
#include <fmt/format.h>

#include "bucketline/train/trainer.h"

namespace bucketline::cli {
namespace {

struct Args {
  ConnectionArgs connection;
  DatasetArgs dataset;
  TrainOptions train;
  double validation_split = 0;
  std::string validation;
  std::string log;
  std::string batch_log;
  std::string quarantine;
};

struct Data {
  Dataset train;
  std::optional<Dataset> validation;
};

Data OpenData(const Args& args, Runtime& runtime) {
  Dataset all = args.dataset.Open(runtime);
  if (!args.validation.empty()) return {std::move(all), args.dataset.Open(runtime, args.validation)};
  if (args.validation_split == 0) return {std::move(all), std::nullopt};
  auto [train, validation] = all.Split(1 - args.validation_split, args.train.seed);
  if (train.size() == 0 || validation.size() == 0) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{} images split into {} and {}; give another --validation-split", all.size(),
                            train.size(), validation.size()),
                args.dataset.uri);
  }
  return {std::move(train), std::move(validation)};
}

int Run(Args& args, bool json, std::stop_token stop) {
  Runtime runtime(args.connection.runtime);
  TrainReport report(json, args.log, args.batch_log);
  args.train.on_bad_sample = BadSampleReport(args.quarantine, runtime.log());
  const Data data = OpenData(args, runtime);
  const Dataset* validation = data.validation ? &*data.validation : nullptr;
  report.Begin(data.train, validation, args.train);
  const TrainResult result =
      Train(runtime, data.train, validation, args.train, report.Observer(), std::move(stop));
  report.End(result, runtime.counters());
  return result.stopped ? kInterrupted : kDone;
}

void AddModelOptions(CLI::App& app, TrainOptions& train) {
  const std::string group = "Model and optimiser";
  app.add_option("--model", train.model, "mobilenet_v2")->capture_default_str()->group(group);
  app.add_option("--width", train.width, "MobileNetV2's width multiplier")
      ->capture_default_str()
      ->group(group);
  app.add_option("--dropout", train.dropout, "before the classifier")->capture_default_str()->group(group);
  app.add_option("--weights", train.weights, "safetensors file or object to start from")->group(group);
  app.add_option("--optimizer", train.optimizer, "adam | sgd [adam]")
      ->transform(CLI::CheckedTransformer(std::map<std::string, OptimizerKind>{{"adam", OptimizerKind::kAdam},
                                                                               {"sgd", OptimizerKind::kSgd}})
                      .description(""))
      ->group(group);
  app.add_option("--learning-rate", train.learning_rate)->capture_default_str()->group(group);
  app.add_option("--momentum", train.momentum, "of sgd")->capture_default_str()->group(group);
  app.add_option("--weight-decay", train.weight_decay)->capture_default_str()->group(group);
  app.add_option("--loss", train.loss,
                 "binary_crossentropy | categorical_crossentropy [by the number of classes]")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, LossKind>{
                                      {"binary_crossentropy", LossKind::kBinaryCrossEntropy},
                                      {"categorical_crossentropy", LossKind::kCategoricalCrossEntropy}})
              .description(""))
      ->group(group);
}

void AddCheckpointOptions(CLI::App& app, TrainOptions& train) {
  const std::string group = "Checkpoints";
  app.add_option("--checkpoint", train.checkpoint, "s3://bucket/prefix/ or a folder")->group(group);
  AddParsed<CheckpointSchedule>(app, "--checkpoint-every", train.checkpoint_every, &CheckpointSchedule::Parse,
                                "60s or 500steps; else at the end of each epoch")
      ->group(group);
  app.add_option("--keep", train.keep, "checkpoints that stay")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str()
      ->group(group);
  app.add_flag("--resume", train.resume, "continue after the last complete checkpoint, if there is one")
      ->group(group);
}

}  // namespace

void AddTrain(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  TrainOptions& train = args->train;
  CLI::App* sub = app.add_subcommand("train", "fit MobileNetV2 to images that stay in S3");
  args->dataset.AddTo(*sub, "folder");
  auto* split = sub->add_option("--validation-split", args->validation_split,
                                "share of the images, by a stable hash of their keys")
                    ->check(CLI::Range(0.0, 0.99));
  sub->add_option("--validation", args->validation, "validate on this prefix instead")->excludes(split);
  sub->add_option("--image-size", train.image_size, "height and width")->capture_default_str();
  AddCropAndFlip(*sub, train.crop, train.flip);
  AddImageOptions(*sub, train.image);
  sub->add_option("--batch-size", train.batch_size)->check(CLI::Range(1, 1 << 20))->capture_default_str();
  sub->add_option("--epochs", train.epochs)->check(CLI::Range(1, 1'000'000))->capture_default_str();
  sub->add_option("--seed", train.seed)->capture_default_str();
  sub->add_option("--threads", train.threads, "0: one per CPU")->capture_default_str();
  AddByteSize(*sub, "--memory", train.memory, "budget of the loaders [1GiB]");
  AddOnError(*sub, train.on_error);
  sub->add_option("--quarantine", args->quarantine, "file that bad samples are added to, as JSON lines");
  AddModelOptions(*sub, train);
  AddCheckpointOptions(*sub, train);
  sub->add_option("--log", args->log, "file that metrics are added to, as JSON lines");
  sub->add_option("--log-batches", args->batch_log,
                  "file that each batch's position and pixel hash are added to");
  sub->add_flag("--json", invocation.json, "the summary as JSON, on the last line");
  args->connection.AddTo(*sub);
  sub->callback([args, &invocation] {
    try {
      args->train.Validate();
    } catch (const Error& error) {
      throw CLI::ValidationError("train", error.message());
    }
    invocation.run = [args, &invocation](std::stop_token stop) {
      return Run(*args, invocation.json, std::move(stop));
    };
  });
}

}  // namespace bucketline::cli
