// Which device trains, and getting batches there.
#pragma once

#include <functional>
#include <memory>

#include <torch/types.h>

#include "bucketline/train/options.h"

namespace bucketline::nn {

// Makes CUDA known to LibTorch where its library, a driver and a device are there, and chooses: of several devices the
// one of this number among the host's ranks, modulo how many there are. To be called before any other use of LibTorch
// in the process, which remembers what it finds first. Throws kUnsupported: kCuda, and there is none, saying what is
// missing.
at::Device ChooseDevice(DeviceKind kind, uint64_t local_rank = 0);

// Memory for the loader's batches from which copies to `device` can run while the CPU goes on; empty for the
// CPU.
std::function<std::shared_ptr<void>(size_t bytes)> BatchAllocator(at::Device device);

// The tensor itself on the CPU; else a copy that may still be under way when this returns.
at::Tensor ToDevice(const at::Tensor& tensor, at::Device device);

}  // namespace bucketline::nn
