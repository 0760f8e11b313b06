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
#include "bucketline/base/soak_testing.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/image/decoder.h"
#include "bucketline/image/test_images.h"
#include "bucketline/loader/loader.h"
#include "bucketline/sampler/permutation.h"
#include "bucketline/store/latency_store.h"

namespace bucketline::testing {

constexpr int kWidth = 40;
constexpr int kHeight = 30;

// Each object comes after its own delay of less than `most` microseconds, so not in the order of the requests.
inline std::shared_ptr<ObjectStore> Uneven(std::shared_ptr<ObjectStore> inner, uint64_t most) {
  const auto delay = [most](const StoreCall& call, uint64_t) -> Duration {
    return std::chrono::microseconds(StableHash64(call.key) % most);
  };
  return std::make_shared<LatencyStore>(std::move(inner), delay);
}

inline int RandomStops() { return SoakCount("BUCKETLINE_SOAK_STOPS", 50); }

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

// Records of two parts: images/N.jpg and masks/N.png, whose pixels are numbers.
class PairBucket : public Bucket {
 public:
  static constexpr int kClasses = 7;

  explicit PairBucket(uint64_t records, RuntimeOptions options = Quiet()) : Bucket(std::move(options)) {
    for (uint64_t i = 0; i < records; ++i) PutPair(i);
  }

  static std::string Name(uint64_t number) { return std::to_string(1000 + number); }
  static std::string ImageOf(uint64_t number) { return "images/" + Name(number) + ".jpg"; }
  static std::string MaskOf(uint64_t number) { return "masks/" + Name(number) + ".png"; }

  void PutPair(uint64_t number, int width = kWidth, int height = kHeight) {
    PutBytes(*store(), ImageOf(number), EncodeJpeg(MakePicture(width, height, 3, number)));
    PutMask(number, width, height);
  }
  static Picture Mask(uint64_t number, int width = kWidth, int height = kHeight) {
    Picture mask = MakePicture(width, height, 1, number);
    for (uint8_t& value : mask.pixels) value %= kClasses;
    return mask;
  }
  void PutMask(uint64_t number, int width = kWidth, int height = kHeight) {
    PutBytes(*store(), MaskOf(number), EncodePng(Mask(number, width, height)));
  }

  // The records as they are now, read through `store` if there is one.
  Dataset Join(std::shared_ptr<ObjectStore> through = nullptr) {
    const std::string name = through == nullptr ? "data" : "pairs" + std::to_string(names_++);
    if (through != nullptr) runtime().AddStore(name, std::move(through));
    const Dataset images = Open("mem://data/images/");
    const Dataset masks = Open("mem://data/masks/");
    ManifestBuilder builder("mem://" + name + "/", {"image", "mask"});
    for (uint64_t i = 0; i < images.size(); ++i) {
      const Record image = images.RecordAt(i);
      const Record mask = masks.RecordAt(i);
      builder.Add({.key = image.key, .parts = {image.parts.front(), mask.parts.front()}});
    }
    const std::string key = name + ".manifest";
    PutBytes(*store(), key, std::move(builder).Build().ToBytes().span());
    return Open("mem://data/" + key);
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

inline ImageSpec MaskSpec() {
  ImageSpec spec;
  spec.channels = 1;
  spec.palette = Palette::kIndex;
  spec.resize = Resize::kNearest;
  spec.type = PixelType::kUint8;
  return spec;
}

// Images and, of the same geometry, their masks.
inline LoaderOptions PairOptions(uint32_t batch_size = 4) {
  LoaderOptions options = SmallOptions(batch_size);
  options.fields = {{.part = "image", .image = SmallSpec()},
                    {.part = "mask", .image = MaskSpec(), .same_geometry_as = "image"}};
  return options;
}

// What becomes of an image and its mask: of fixed sizes, images as large as they are, masks as bytes, changed by a
// transform, both as bytes.
constexpr int kPairVariants = 5;
inline LoaderOptions PairVariant(int variant) {
  LoaderOptions options = PairOptions();
  if (variant == 1) options.fields[0].image = ImageSpec{};
  if (variant == 2 || variant == 4) options.fields[1] = {.part = "mask", .decode = false};
  if (variant == 4) options.fields[0] = {.part = "image", .decode = false};
  if (variant == 3) {
    options.transform = [](TransformSample& sample) {
      for (TransformField& field : sample.fields) field.pixels[0] = static_cast<uint8_t>(sample.index);
      return TransformResult::Keep();
    };
  }
  return options;
}

// A copy of everything that a batch holds.
struct Given {
  uint64_t epoch = 0;
  uint64_t position = 0;
  std::vector<uint64_t> indices;
  std::vector<uint8_t> valid;
  std::vector<uint8_t> pixels = {};                // of all fields
  std::vector<std::vector<std::string>> raw = {};  // by raw field
  std::vector<float> geometry = {};                // of all fields
  LoaderState state;
  friend bool operator==(const Given&, const Given&) = default;
};

inline Given Copy(const Batch& batch) {
  Given given{.epoch = batch.epoch(),
              .position = batch.position(),
              .indices = {batch.indices().begin(), batch.indices().end()},
              .valid = {batch.valid().begin(), batch.valid().end()},
              .state = batch.State()};
  for (size_t i = 0; i < batch.field_count(); ++i) {
    const BatchField field = batch.field(i);
    given.pixels.insert(given.pixels.end(), field.pixels(), field.pixels() + field.pixel_bytes());
    given.geometry.insert(given.geometry.end(), field.geometry().begin(), field.geometry().end());
    if (!field.geometry().empty() || batch.has_values()) continue;
    std::vector<std::string>& raw = given.raw.emplace_back();
    for (uint32_t row = 0; row < batch.rows(); ++row) raw.push_back(field.raw(row).ToString());
  }
  return given;
}

// Transforms.
inline TransformResult Same(TransformSample&) { return TransformResult::Keep(); }

// The record's number as the value, and back.
inline TransformResult IndexOf(TransformSample& sample) {
  return TransformResult::Value(std::make_shared<uint64_t>(sample.index));
}

inline uint64_t Number(const Batch& batch, uint32_t row) {
  return *static_cast<const uint64_t*>(batch.value(row).get());
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
