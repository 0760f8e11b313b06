// The loop of the README, compiled and linked as a user would; run with a URI it goes through its batches.
#include <cstdio>

#include <bucketline/bucketline.h>
#include <bucketline/torch.h>

namespace {

void Step(const at::Tensor& images, const at::Tensor& labels) {
  std::printf("%lld images, %lld labels\n", static_cast<long long>(images.size(0)),
              static_cast<long long>(labels.size(0)));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace bucketline;
  if (argc != 2) return 2;
  Runtime runtime({.memory = 1_GiB});
  auto [train, validation] = Dataset::Open(runtime, argv[1], {.labels = Labels::Folder()}).Split(0.8);
  Loader loader(train, {.batch_size = 32, .image = {.height = 224, .width = 224}, .shuffle = true});
  while (loader.epoch() < 2)
    while (auto batch = loader.Next())  // nullopt once per epoch
      Step(bucketline::torch::Images(*batch), bucketline::torch::Labels(*batch));
}
