// For tests only: buckets of small images, and what a loader gave.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bucketline/base/hash.h"
#include "bucketline/base/random.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/image/decoder.h"
#include "bucketline/image/test_images.h"
#include "bucketline/loader/loader.h"
#include "bucketline/sampler/permutation.h"

namespace bucketline::testing {

constexpr int kWidth = 40;
constexpr int kHeight = 30;

inline std::string ImageKey(uint64_t number) {
  return "class" + std::to_string(number % 10 / 4) + "/" + std::to_string(100000 + number).substr(1) + ".jpg";
}

// JPEGs that all differ; a record's number in the dataset is not its number here, since keys are in order.
class ImageBucket : public Bucket {
 public:
  explicit ImageBucket(uint64_t images, RuntimeOptions options = Quiet()) : Bucket(std::move(options)) {
    for (uint64_t i = 0; i < images; ++i) PutImage(ImageKey(i), i);
  }

  void PutImage(const std::string& key, uint64_t seed, int width = kWidth, int height = kHeight) {
    const std::vector<uint8_t> jpeg = EncodeJpeg(MakePicture(width, height, 3, seed));
    PutBytes(*store(), key, jpeg);
  }
  void PutCorrupt(const std::string& key) { Put(key, "<html>this is no image</html>"); }

  // The dataset, with its reads through another store (faults, latency, recording).
  Dataset OpenThrough(std::shared_ptr<ObjectStore> store) {
    const std::string name = "through" + std::to_string(names_++);
    runtime().AddStore(name, std::move(store));
    return Open("mem://" + name + "/");
  }

 private:
  int names_ = 0;
};

inline ImageSpec SmallSpec() {
  ImageSpec spec;
  spec.height = 16;
  spec.width = 16;
  spec.crop = Crop::kRandomResized;
  spec.flip = 0.5;
  spec.type = PixelType::kUint8;
  spec.scale = 1.0f / 255;
  return spec;
}

inline LoaderOptions SmallOptions(uint32_t batch_size = 4) {
  LoaderOptions options;
  options.batch_size = batch_size;
  options.image = SmallSpec();
  options.threads = 2;
  options.memory = uint64_t{32} << 20;
  return options;
}

// A copy of everything that a batch holds.
struct Given {
  uint64_t epoch = 0;
  uint64_t position = 0;
  std::vector<uint64_t> indices;
  std::vector<uint8_t> valid;
  std::vector<uint8_t> pixels;
  LoaderState state;
  friend bool operator==(const Given&, const Given&) = default;
};

inline Given Copy(const Batch& batch) {
  return {.epoch = batch.epoch(),
          .position = batch.position(),
          .indices = {batch.indices().begin(), batch.indices().end()},
          .valid = {batch.valid().begin(), batch.valid().end()},
          .pixels = {batch.pixels(), batch.pixels() + batch.pixel_bytes()},
          .state = batch.State()};
}

// The rest of the epoch.
inline std::vector<Given> RestOfEpoch(Loader& loader) {
  std::vector<Given> batches;
  while (std::optional<Batch> batch = loader.Next()) batches.push_back(Copy(*batch));
  return batches;
}

inline std::vector<Given> Epochs(Loader& loader, int count) {
  std::vector<Given> batches;
  for (int i = 0; i < count; ++i) {
    for (Given& batch : RestOfEpoch(loader)) batches.push_back(std::move(batch));
  }
  return batches;
}

// The pixels that one row must have.
inline std::vector<uint8_t> ExpectedRow(const Dataset& dataset, uint64_t record, const ImageSpec& spec,
                                        CounterRng rng) {
  std::vector<uint8_t> row(spec.RowBytes());
  ImageDecoder decoder;
  decoder.DecodeInto(dataset.Read(record).data.span(), spec, rng, row);
  return row;
}

inline std::vector<uint8_t> RowOf(const Given& batch, size_t row) {
  const size_t bytes = batch.pixels.size() / batch.indices.size();
  return {batch.pixels.begin() + static_cast<ptrdiff_t>(row * bytes),
          batch.pixels.begin() + static_cast<ptrdiff_t>((row + 1) * bytes)};
}

}  // namespace bucketline::testing
