// image_bench FOLDER [ROUNDS]: CPU time of one thread for each JPEG below FOLDER, from memory.
//   crop  libjpeg-turbo alone: decode the random box of the image (crop and skip scanlines, stop after its last row)
//   full  ImageDecoder::DecodeInto for random_resized 224 x 224, float32 NCHW, ImageNet mean and standard deviation
// Each is the mean over the images of the best of ROUNDS rounds; the ratio is what the resize and the rest cost.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "bucketline/image/crop_box.h"
#include "bucketline/image/decoder.h"
#include "bucketline/inspect/jpeg_floor.h"

namespace {

using bucketline::ImageSpec;

double CpuMicros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

std::vector<std::vector<uint8_t>> LoadJpegs(const char* folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string extension = entry.path().extension();
    if (extension == ".jpg" || extension == ".jpeg" || extension == ".JPEG") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::vector<uint8_t>> images;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    images.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return images;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: image_bench FOLDER [ROUNDS]\n");
    return 2;
  }
  const int rounds = argc > 2 ? std::max(std::atoi(argv[2]), 1) : 7;
  const auto images = LoadJpegs(argv[1]);
  if (images.empty()) {
    std::fprintf(stderr, "no JPEG below %s\n", argv[1]);
    return 1;
  }
  ImageSpec spec;
  spec.height = spec.width = 224;
  spec.crop = bucketline::Crop::kRandomResized;
  spec.flip = 0.5;
  spec.mean = ImageSpec::kImagenetMean;
  spec.std = ImageSpec::kImagenetStd;

  bucketline::JpegFloor plain;
  bucketline::ImageDecoder decoder;
  std::vector<float> row(spec.RowBytes() / sizeof(float));
  const std::span<uint8_t> bytes{reinterpret_cast<uint8_t*>(row.data()), spec.RowBytes()};
  double crop = 0;
  double full = 0;
  for (size_t i = 0; i < images.size(); ++i) {
    const bucketline::CounterRng rng(1, 0, i);
    const bucketline::ImageInfo info = bucketline::ProbeImage(images[i]);
    const auto plan = bucketline::PlanCrop(spec, info.width, info.height, rng);
    const bucketline::PixelBox box{plan.x.begin, plan.y.begin, plan.x.size, plan.y.size};
    double best_crop = 1e30;
    double best_full = 1e30;
    for (int round = 0; round < rounds; ++round) {
      const double start = CpuMicros();
      plain.DecodeBox(images[i], box);
      const double middle = CpuMicros();
      decoder.DecodeInto(images[i], spec, rng, bytes);
      const double end = CpuMicros();
      best_crop = std::min(best_crop, middle - start);
      best_full = std::min(best_full, end - middle);
    }
    crop += best_crop;
    full += best_full;
  }
  const auto count = static_cast<double>(images.size());
  std::printf(
      "%zu images, best of %d rounds, CPU us per image: crop %.1f, full %.1f, ratio %.3f, %.0f images/s\n",
      images.size(), rounds, crop / count, full / count, full / crop, count * 1e6 / full);
}
