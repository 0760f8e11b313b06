#include "bucketline/train/trainer.h"

#include <string>
#include <thread>

#include <torch/utils.h>

#include "bucketline/train/nn/device.h"
#include "bucketline/train/nn/rank_group.h"
#include "bucketline/train/nn/training_run.h"

namespace bucketline {
namespace {

TrainResult Run(Runtime& runtime, const TrainingData& train, const Dataset* validation,
                const TrainOptions& options, const TrainObserver& observer, at::Device device,
                nn::RankGroup* ranks, std::stop_token stop) {
  try {
    return nn::TrainingRun(runtime, train, validation, options, observer, device, ranks).Run(std::move(stop));
  } catch (const c10::Error& error) {
    throw Error(ErrorCode::kInternal, "LibTorch: " + std::string(error.what_without_backtrace()));
  }
}

}  // namespace

TrainResult Train(Runtime& runtime, const TrainingData& train, const Dataset* validation,
                  const TrainOptions& options, const TrainObserver& observer, std::stop_token stop) {
  options.Validate();
  const at::Device device = nn::ChooseDevice(options.device, options.ranks.local_rank.value_or(0));
  if (device.is_cpu() && options.precision == Precision::kFloat16) {
    throw Error(ErrorCode::kInvalidArgument, "float16 needs a GPU, and there is none here; use bfloat16");
  }
  TrainOptions chosen = options;
  if (chosen.threads == 0) chosen.threads = options.ranks.ShareOf(std::thread::hardware_concurrency());
  // Debian's LibTorch starts with one thread, whatever the machine has.
  at::set_num_threads(static_cast<int>(chosen.threads));
  if (options.ranks.world_size == 1)
    return Run(runtime, train, validation, chosen, observer, device, nullptr, std::move(stop));
  const std::unique_ptr<nn::RankGroup> ranks =
      nn::JoinRanks(options.ranks, options.rank_timeout, ProcessEnvironment());
  try {
    return Run(runtime, train, validation, chosen, observer, device, ranks.get(), std::move(stop));
  } catch (const std::exception& error) {
    ranks->Fail(error.what());
    throw;
  }
}

void RequireTrainer() {}

}  // namespace bucketline
