// Which device trains, and getting batches there.
#pragma once

#include <functional>
#include <memory>

#include <torch/types.h>

#include "bucketline/train/options.h"

namespace bucketline::nn {

// Makes CUDA known to LibTorch where its library, a driver and a device are there, and chooses. To be called before
// any other use of LibTorch in the process, which remembers what it finds first. Throws kUnsupported: kCuda, and
// there is none, saying what is missing.
at::Device ChooseDevice(DeviceKind kind);

// Memory for the loader's batches from which copies to `device` can run while the CPU goes on; empty for the
// CPU.
std::function<std::shared_ptr<void>(size_t bytes)> BatchAllocator(at::Device device);

// The tensor itself on the CPU; else a copy that may still be under way when this returns.
at::Tensor ToDevice(const at::Tensor& tensor, at::Device device);

}  // namespace bucketline::nn
