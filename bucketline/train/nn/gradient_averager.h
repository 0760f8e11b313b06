// GradientAverager: the mean of all ranks' gradients, gathered while the backward pass still runs.
#pragma once

#include <memory>
#include <vector>

#include "bucketline/train/nn/model.h"
#include "bucketline/train/nn/rank_group.h"

namespace bucketline::nn {

// Parameters are put into buckets in reverse order, about as their gradients come. A full bucket is summed over the
// ranks on other threads while the backward pass goes on; buckets leave in one order on every rank. With as many rows
// on each rank the result is that of PyTorch's DistributedDataParallel. On the thread of the training run, and on
// LibTorch's during backward.
class GradientAverager {
 public:
  static constexpr size_t kBucketBytes = size_t{2} << 20;

  // The parameters are leaves that want gradients, the same on every rank; this takes their one hook. `ranks` outlives
  // it.
  GradientAverager(RankGroup& ranks, const NamedParameters& parameters, size_t bucket_bytes = kBucketBytes);
  ~GradientAverager();
  GradientAverager(const GradientAverager&) = delete;
  GradientAverager& operator=(const GradientAverager&) = delete;

  // Before each backward pass. `weight` of this rank's gradients in the mean: its rows as a share of a full batch; 0: it has
  // none, and makes no backward pass. Throws kInternal when Finish was not called in between.
  void Begin(double weight);
  // After it: each gradient becomes the weighted mean over ranks. A parameter without a gradient on any rank stays
  // without; one that another rank has a gradient of gets it. False: no rank had rows. Throws what RankGroup throws.
  bool Finish();

  size_t buckets() const { return buckets_.size(); }
  // Of the last step: buckets whose sum had begun before Finish, while the backward pass ran.
  size_t overlapped() const { return overlapped_; }

 private:
  class Hook;
  struct Slot {
    at::Tensor parameter;
    int64_t offset = 0;
    bool ready = false;
  };
  // `flat` holds the gradients, then for each slot whether it has one, then the weight.
  struct Bucket {
    std::vector<Slot> slots;
    int64_t elements = 0;
    size_t waiting = 0;
    at::Tensor flat;
    std::unique_ptr<RankGroup::Pending> sum;
  };

  void Ready(size_t bucket, size_t slot);
  void Launch(Bucket& bucket);
  void Deliver(Bucket& bucket) const;
  static at::Tensor ViewOf(const Bucket& bucket, const Slot& slot);

  RankGroup& ranks_;
  std::vector<Bucket> buckets_;
  size_t launched_ = 0;
  size_t overlapped_ = 0;
  double weight_ = 0;
  bool begun_ = false;
};

}  // namespace bucketline::nn
