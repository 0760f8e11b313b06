// What a decoder allocates: nothing in steady state, and never more than it said.
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>
#include <malloc.h>

#include "bucketline/image/decoder.h"
#include "bucketline/image/test_images.h"

namespace {

thread_local size_t allocations = 0;
thread_local size_t live_bytes = 0;
thread_local size_t peak_bytes = 0;

void* Allocate(size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  ++allocations;
  live_bytes += malloc_usable_size(memory);
  peak_bytes = std::max(peak_bytes, live_bytes);
  return memory;
}

void Release(void* memory) {
  if (memory != nullptr) live_bytes -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void operator delete(void* memory) noexcept { Release(memory); }
void operator delete[](void* memory) noexcept { Release(memory); }
void operator delete(void* memory, size_t) noexcept { Release(memory); }
void operator delete[](void* memory, size_t) noexcept { Release(memory); }

namespace bucketline {
namespace {

using testing::EncodeJpeg;
using testing::EncodePng;
using testing::MakePicture;

std::vector<ImageSpec> Specs() {
  std::vector<ImageSpec> specs;
  for (const Crop crop : {Crop::kNone, Crop::kCenter, Crop::kRandomResized}) {
    for (const ResizeFamily family : {ResizeFamily::kPillow, ResizeFamily::kTensorflow}) {
      ImageSpec spec;
      spec.height = spec.width = 64;
      spec.crop = crop;
      spec.family = family;
      specs.push_back(spec);
    }
  }
  for (const Resize resize : {Resize::kBicubic, Resize::kLanczos, Resize::kArea, Resize::kNearest}) {
    ImageSpec spec = specs[0];
    spec.resize = resize;
    spec.crop = Crop::kPad;
    spec.jitter = {0.2, 0.2, 0.2};
    specs.push_back(spec);
    spec.width = 400;  // vertically first
    spec.family = resize == Resize::kArea ? ResizeFamily::kTensorflow : ResizeFamily::kPillow;
    specs.push_back(spec);
  }
  return specs;
}

TEST(ScratchTest, NothingIsAllocatedInSteadyState) {
  const auto jpeg = EncodeJpeg(MakePicture(300, 200), {.h_sampling = 2, .v_sampling = 2});
  const auto png = EncodePng(MakePicture(300, 200));
  for (const ImageSpec& spec : Specs()) {
    ImageDecoder decoder;
    std::vector<float> row(spec.RowBytes() / sizeof(float));
    const std::span<uint8_t> bytes{reinterpret_cast<uint8_t*>(row.data()), spec.RowBytes()};
    const auto epoch = [&] {
      for (uint64_t i = 0; i < 20; ++i) {
        decoder.DecodeInto(jpeg, spec, CounterRng(1, 0, i), bytes);
        decoder.DecodeInto(png, spec, CounterRng(1, 0, i), bytes);
      }
    };
    epoch();
    const size_t before = allocations;
    epoch();
    EXPECT_EQ(allocations, before);
  }
}

TEST(ScratchTest, ScratchBytesIsAnUpperBound) {
  for (const auto& [width, height] : {std::pair{40, 30}, {1500, 20}, {20, 3000}, {700, 500}}) {
    for (const bool jpeg : {true, false}) {
      const auto picture = MakePicture(width, height);
      const auto data = jpeg ? EncodeJpeg(picture) : EncodePng(picture, true);
      const ImageInfo info = ProbeImage(data);
      for (const ImageSpec& spec : Specs()) {
        std::vector<float> row(spec.RowBytes() / sizeof(float));
        ImageDecoder decoder;
        const size_t before = live_bytes;
        peak_bytes = before;
        decoder.DecodeInto(data, spec, CounterRng(1, 0, 0),
                           {reinterpret_cast<uint8_t*>(row.data()), spec.RowBytes()});
        const size_t used = peak_bytes - before;
        EXPECT_GT(used, 0u);
        EXPECT_LE(used, ImageDecoder::ScratchBytes(info, spec))
            << width << " x " << height << " jpeg " << jpeg;
      }
    }
  }
}

TEST(ScratchTest, BufferedImagesNeedTheirPixels) {
  ImageInfo info{ImageFormat::kJpeg, 4000, 3000, 3, false};
  ImageSpec spec = Specs()[0];
  const size_t streamed = ImageDecoder::ScratchBytes(info, spec);
  EXPECT_LT(streamed, 4u << 20);
  info.buffered = true;
  EXPECT_GE(ImageDecoder::ScratchBytes(info, spec), streamed + 4000u * 3000 * 3 * 2);
  info.format = ImageFormat::kPng;
  EXPECT_GE(ImageDecoder::ScratchBytes(info, spec), 4000u * 3000 * 3);
}

TEST(ScratchTest, LargeBuffersAreGivenBack) {
  const auto data = EncodePng(MakePicture(1600, 1200), true);  // 5.76 MB of pixels
  ImageSpec spec = Specs()[0];
  ImageDecoder decoder;
  std::vector<float> row(spec.RowBytes() / sizeof(float));
  const size_t before = live_bytes;
  decoder.DecodeInto(data, spec, CounterRng(1, 0, 0),
                     {reinterpret_cast<uint8_t*>(row.data()), spec.RowBytes()});
  EXPECT_LT(live_bytes - before, 1u << 20);
}

}  // namespace
}  // namespace bucketline
