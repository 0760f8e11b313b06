#include "bucketline/train/nn/device.h"

#include <string>

#include <dlfcn.h>
#include <torch/cuda.h>

#include "bucketline/base/error.h"

namespace bucketline::nn {
namespace {

// Loads `name`; an empty string on success, else why not.
std::string LoadLibrary(const std::string& name) {
  if (dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return "";
  const char* reason = dlerror();
  return reason == nullptr ? "cannot load " + name : reason;
}

// "libtorch_cuda.so" beside the LibTorch that this program runs with.
std::string CudaLibrary() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&::torch::cuda::is_available), &info) != 0 &&
      info.dli_fname != nullptr) {
    const std::string path = info.dli_fname;
    const size_t slash = path.rfind('/');
    if (slash != std::string::npos) return path.substr(0, slash + 1) + "libtorch_cuda.so";
  }
  return "libtorch_cuda.so";
}

// Why CUDA cannot be used; empty when it can.
std::string WhyNoCuda() {
  // The driver first: without one there is no need to load gigabytes of libraries.
  std::string reason = LoadLibrary("libcuda.so.1");
  if (!reason.empty()) return "there is no NVIDIA driver (" + reason + ")";
  reason = LoadLibrary(CudaLibrary());
  if (!reason.empty()) return "this LibTorch has no CUDA (" + reason + ")";
  return ::torch::cuda::is_available() ? "" : "the driver reports no usable device";
}

}  // namespace

at::Device ChooseDevice(DeviceKind kind, uint64_t local_rank) {
  if (kind == DeviceKind::kCpu) return at::Device(at::kCPU);
  const std::string reason = WhyNoCuda();
  if (reason.empty()) {
    const auto devices = static_cast<uint64_t>(::torch::cuda::device_count());
    return {at::kCUDA, static_cast<c10::DeviceIndex>(local_rank % devices)};
  }
  if (kind == DeviceKind::kAuto) return at::Device(at::kCPU);
  throw Error(ErrorCode::kUnsupported, "no CUDA device can be used: " + reason + "; train with device cpu");
}

std::function<std::shared_ptr<void>(size_t bytes)> BatchAllocator(at::Device device) {
  if (device.is_cpu()) return {};
  return [](size_t bytes) {
    // The tensor owns the memory; LibTorch's host allocator aligns to more than 64 bytes and gives nothing out
    // again that a copy still reads.
    auto tensor = std::make_shared<at::Tensor>(::torch::empty(
        {static_cast<int64_t>(bytes)}, at::TensorOptions().dtype(at::kByte).pinned_memory(true)));
    void* data = tensor->data_ptr();
    return std::shared_ptr<void>(std::move(tensor), data);
  };
}

at::Tensor ToDevice(const at::Tensor& tensor, at::Device device) {
  return tensor.device() == device ? tensor : tensor.to(device, /*non_blocking=*/true);
}

}  // namespace bucketline::nn
