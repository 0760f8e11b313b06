#include "bucketline/train/trainer.h"

#include <string>
#include <thread>

#include <torch/utils.h>

#include "bucketline/train/nn/device.h"
#include "bucketline/train/nn/training_run.h"

namespace bucketline {

TrainResult Train(Runtime& runtime, const TrainingData& train, const Dataset* validation,
                  const TrainOptions& options, const TrainObserver& observer, std::stop_token stop) {
  options.Validate();
  const at::Device device = nn::ChooseDevice(options.device);
  if (device.is_cpu() && options.precision == Precision::kFloat16) {
    throw Error(ErrorCode::kInvalidArgument, "float16 needs a GPU, and there is none here; use bfloat16");
  }
  // Debian's LibTorch starts with one thread, whatever the machine has.
  const size_t threads = options.threads != 0 ? options.threads : std::thread::hardware_concurrency();
  at::set_num_threads(static_cast<int>(threads));
  try {
    return nn::TrainingRun(runtime, train, validation, options, observer, device).Run(stop);
  } catch (const c10::Error& error) {
    throw Error(ErrorCode::kInternal, "LibTorch: " + std::string(error.what_without_backtrace()));
  }
}

void RequireTrainer() {}

}  // namespace bucketline
