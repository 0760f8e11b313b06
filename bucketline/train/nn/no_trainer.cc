// Takes the place of trainer.cc in a build without LibTorch.
#include "bucketline/train/trainer.h"

namespace bucketline {

void RequireTrainer() {
  throw Error(ErrorCode::kUnsupported,
              "this build has no trainer, because LibTorch was not found when it was configured; build with "
              "-DBUCKETLINE_WITH_TORCH=ON, or use ./run build");
}

TrainResult Train(Runtime&, const TrainingData&, const Dataset*, const TrainOptions&, const TrainObserver&,
                  std::stop_token) {
  RequireTrainer();
  return {};
}

}  // namespace bucketline
