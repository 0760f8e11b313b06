// RankGroup: the processes that train one model together, as far as the trainer needs them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <torch/types.h>

#include "bucketline/base/clock.h"
#include "bucketline/base/ranks.h"

namespace bucketline::nn {

// All members but Fail are collectives: every rank calls them in the same order. Each throws kTimeout when the others
// have not come within the group's timeout and kConnection when one of them has ended, with its last word if it left
// one. One thread at a time.
class RankGroup {
 public:
  // Under way; the tensor is whole when Wait returns.
  class Pending {
   public:
    virtual ~Pending() = default;
    virtual void Wait() = 0;
  };

  virtual ~RankGroup() = default;

  virtual size_t rank() const = 0;
  virtual size_t size() const = 0;
  bool root() const { return rank() == 0; }

  // The tensor (contiguous, on the CPU) becomes the sum over ranks, in the same order everywhere: the same bits.
  virtual std::unique_ptr<Pending> Sum(const at::Tensor& tensor) = 0;
  // Rank 0's values, on every rank. The tensors may lie on any device, in any layout.
  virtual void Broadcast(const std::vector<at::Tensor>& tensors) = 0;
  virtual std::string Broadcast(std::string bytes) = 0;
  // Everybody's bytes, by rank.
  virtual std::vector<std::string> Gather(std::string_view bytes) = 0;

  // Tells the others why this rank is about to end, for their errors. Never throws.
  virtual void Fail(const std::string& why) noexcept = 0;
};

// Meets the other ranks at MASTER_ADDR:MASTER_PORT, which torchrun sets. Throws kInvalidArgument: a variable is
// missing or no port; kUnsupported: this LibTorch has no Gloo; kTimeout: not all came within `timeout`.
std::unique_ptr<RankGroup> JoinRanks(const Ranks& ranks, Duration timeout, const VariableLookup& variables);

}  // namespace bucketline::nn
