// Runs a saved MobileNetV2 on raw float32 pixels: model_tool WEIGHTS PIXELS ROWS SIZE OUTPUTS, logits on
// standard output.
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <torch/types.h>
#include <torch/utils.h>

#include "bucketline/base/bytes.h"
#include "bucketline/train/nn/mobilenet_v2.h"
#include "bucketline/train/nn/tensor_archive.h"

namespace {

bucketline::Bytes ReadFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return bucketline::Bytes::FromVector(
      std::vector<uint8_t>(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  try {
    const int64_t rows = std::stoll(argv[3]), size = std::stoll(argv[4]), outputs = std::stoll(argv[5]);
    bucketline::nn::MobileNetV2 model(bucketline::nn::MobileNetV2Options{.outputs = outputs});
    bucketline::nn::CopyTensors(bucketline::nn::LoadTensors(ReadFile(argv[1])),
                                bucketline::nn::StateOf(*model), argv[1]);
    model->eval();
    const bucketline::Bytes pixels = ReadFile(argv[2]);
    const ::torch::NoGradGuard no_grad;
    const at::Tensor images =
        ::torch::from_blob(const_cast<uint8_t*>(pixels.data()), {rows, 3, size, size}, at::kFloat);
    const at::Tensor logits = model->forward(images).contiguous();
    std::fwrite(logits.data_ptr(), 1, logits.nbytes(), stdout);
    return 0;
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "model_tool: %s\n", exception.what());
    return 1;
  }
}
