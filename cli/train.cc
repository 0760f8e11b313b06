// bucketline train: fits a model to images that stay in S3.
#include <memory>
#include <optional>
#include <utility>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/image_options.h"
#include "cli/train_options.h"
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
  TrainReportOptions report;
  std::string quarantine;
};

struct Data {
  TrainingData train;
  std::optional<Dataset> validation;
};

Data OpenPipe(const Args& args, Runtime& runtime, Stream stream) {
  if (args.validation_split > 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "this channel came as a Pipe, which cannot be split; give the job a second channel, in input "
                "mode File "
                "or FastFile, and --validation channel:NAME",
                args.dataset.uri);
  }
  if (stream.options().classes.empty()) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "this channel came as a Pipe, which does not say its classes beforehand; give them as --classes",
        args.dataset.uri);
  }
  if (args.validation.empty()) return {std::move(stream), std::nullopt};
  return {std::move(stream), args.dataset.Open(runtime, args.validation)};
}

Data OpenData(const Args& args, Runtime& runtime) {
  if (std::optional<Stream> stream = args.dataset.OpenPipe(runtime))
    return OpenPipe(args, runtime, *std::move(stream));
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
  RequireTrainer();
  Runtime runtime(args.connection.runtime);
  args.report.json = json;
  if (args.train.ranks.rank > 0) args.report = args.report.OfRank(args.train.ranks.rank);
  TrainReport report(runtime, args.report);
  args.train.on_bad_sample = BadSampleReport(args.quarantine, runtime.log());
  const Data data = OpenData(args, runtime);
  const Dataset* validation = data.validation ? &*data.validation : nullptr;
  report.Begin(data.train, validation, args.train);
  const TrainResult result =
      Train(runtime, data.train, validation, args.train, report.Observer(), std::move(stop));
  report.End(result, runtime.counters());
  return result.stopped ? kInterrupted : kDone;
}

}  // namespace

void AddTrain(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  TrainOptions& train = args->train;
  CLI::App* sub = app.add_subcommand("train", "fit a model to images that stay in S3");
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
  AddWindow(*sub, train.window);
  sub->add_option("--threads", train.threads, "0: one per CPU")->capture_default_str();
  AddByteSize(*sub, "--memory", train.memory, "budget of the loaders [1GiB]");
  AddOnError(*sub, train.on_error);
  sub->add_option("--quarantine", args->quarantine, "file that bad samples are added to, as JSON lines");
  AddTrainOptions(*sub, train);
  sub->add_option("--log", args->report.log, "file that metrics are added to, as JSON lines");
  sub->add_option("--log-batches", args->report.batch_log,
                  "file that each batch's position and pixel hash are added to");
  sub->add_option("--predictions", args->report.predictions,
                  "file for the last validation's scores, one JSON line an image");
  sub->add_option("--tensorboard", args->report.tensorboard,
                  "prefix or folder for TensorBoard's event files");
  sub->add_flag("--json", invocation.json, "the summary as JSON, on the last line");
  AddCacheOptions(*sub, args->connection.runtime.cache);
  args->connection.AddTo(*sub);
  sub->callback([args, sub, &invocation] {
    CheckTrainOptions(*sub, args->train);
    invocation.run = [args, &invocation](std::stop_token stop) {
      return Run(*args, invocation.json, std::move(stop));
    };
  });
}

}  // namespace bucketline::cli
