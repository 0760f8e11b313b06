#include "bucketline/train/nn/gradient_averager.h"

#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "bucketline/base/error.h"

namespace bucketline::nn {

namespace autograd = ::torch::autograd;

class GradientAverager::Hook : public autograd::PostAccumulateGradHook {
 public:
  Hook(GradientAverager& averager, size_t bucket, size_t slot)
      : averager_(averager), bucket_(bucket), slot_(slot) {}
  void operator()(const autograd::Variable&) override { averager_.Ready(bucket_, slot_); }

 private:
  GradientAverager& averager_;
  const size_t bucket_;
  const size_t slot_;
};

GradientAverager::GradientAverager(RankGroup& ranks, const NamedParameters& parameters, size_t bucket_bytes)
    : ranks_(ranks) {
  size_t bytes = 0;
  for (auto item = parameters.rbegin(); item != parameters.rend(); ++item) {
    const at::Tensor& parameter = item->second;
    if (!parameter.is_non_overlapping_and_dense())
      throw Error(ErrorCode::kInternal, "the parameter " + item->first + " shares its memory with itself");
    const bool other_type =
        !buckets_.empty() && buckets_.back().slots.front().parameter.scalar_type() != parameter.scalar_type();
    if (buckets_.empty() || other_type || bytes + parameter.nbytes() > bucket_bytes) {
      buckets_.emplace_back();
      bytes = 0;
    }
    Bucket& bucket = buckets_.back();
    bucket.slots.push_back({.parameter = parameter, .offset = bucket.elements});
    bucket.elements += parameter.numel();
    bytes += parameter.nbytes();
  }
  for (size_t i = 0; i < buckets_.size(); ++i) {
    Bucket& bucket = buckets_[i];
    const auto slots = static_cast<int64_t>(bucket.slots.size());
    const at::ScalarType type = bucket.slots.front().parameter.scalar_type();
    bucket.flat = ::torch::zeros({bucket.elements + slots + 1}, at::TensorOptions().dtype(type));
    for (size_t k = 0; k < bucket.slots.size(); ++k) {
      autograd::impl::set_post_acc_grad_hooks(bucket.slots[k].parameter, std::make_unique<Hook>(*this, i, k));
    }
  }
}

GradientAverager::~GradientAverager() {
  for (Bucket& bucket : buckets_) {
    for (Slot& slot : bucket.slots) autograd::impl::set_post_acc_grad_hooks(slot.parameter, nullptr);
  }
}

void GradientAverager::Begin(double weight) {
  if (begun_) throw Error(ErrorCode::kInternal, "a step of the gradients' mean began within another");
  begun_ = true;
  weight_ = weight;
  launched_ = 0;
  for (Bucket& bucket : buckets_) {
    bucket.waiting = bucket.slots.size();
    for (Slot& slot : bucket.slots) slot.ready = false;
  }
}

// The gradient's place in the bucket, with the strides of its parameter.
at::Tensor GradientAverager::ViewOf(const Bucket& bucket, const Slot& slot) {
  return bucket.flat.as_strided(slot.parameter.sizes(), slot.parameter.strides(), slot.offset);
}

void GradientAverager::Ready(size_t bucket_number, size_t slot_number) {
  Bucket& bucket = buckets_[bucket_number];
  Slot& slot = bucket.slots[slot_number];
  if (!begun_ || slot.ready) return;  // a backward pass of somebody else's
  slot.ready = true;
  --bucket.waiting;
  while (launched_ < buckets_.size() && buckets_[launched_].waiting == 0) Launch(buckets_[launched_++]);
}

void GradientAverager::Launch(Bucket& bucket) {
  const ::torch::NoGradGuard no_grad;
  for (size_t i = 0; i < bucket.slots.size(); ++i) {
    const Slot& slot = bucket.slots[i];
    const at::Tensor gradient = slot.parameter.grad();
    at::Tensor view = ViewOf(bucket, slot);
    if (gradient.defined() && weight_ > 0) {
      view.copy_(gradient);
    } else {
      view.zero_();
    }
    bucket.flat[bucket.elements + static_cast<int64_t>(i)] = gradient.defined() && weight_ > 0 ? 1 : 0;
  }
  if (weight_ != 1) bucket.flat.narrow(0, 0, bucket.elements).mul_(weight_);
  bucket.flat[-1] = weight_;
  bucket.sum = ranks_.Sum(bucket.flat);
}

bool GradientAverager::Finish() {
  if (!begun_) throw Error(ErrorCode::kInternal, "a step of the gradients' mean ended that never began");
  overlapped_ = launched_;
  while (launched_ < buckets_.size()) Launch(buckets_[launched_++]);
  begun_ = false;
  for (Bucket& bucket : buckets_) {
    bucket.sum->Wait();
    bucket.sum.reset();
  }
  if (buckets_.empty() || buckets_.front().flat[-1].item<double>() <= 0) return false;
  for (Bucket& bucket : buckets_) Deliver(bucket);
  return true;
}

void GradientAverager::Deliver(Bucket& bucket) const {
  const ::torch::NoGradGuard no_grad;
  bucket.flat.narrow(0, 0, bucket.elements).div_(bucket.flat[-1].item<double>());
  const auto slots = static_cast<int64_t>(bucket.slots.size());
  const at::Tensor present = bucket.flat.narrow(0, bucket.elements, slots).to(at::kFloat).contiguous();
  const auto* has_gradient = present.const_data_ptr<float>();
  for (size_t i = 0; i < bucket.slots.size(); ++i) {
    Slot& slot = bucket.slots[i];
    if (has_gradient[i] == 0) continue;
    at::Tensor& gradient = slot.parameter.mutable_grad();
    if (gradient.defined()) {
      gradient.copy_(ViewOf(bucket, slot));
    } else {
      gradient = ViewOf(bucket, slot).clone().to(slot.parameter.device());
    }
  }
}

}  // namespace bucketline::nn
