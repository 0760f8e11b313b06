#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

constexpr std::chrono::seconds kDeadline{30};

TEST(LoaderTransform, WhatItKeepsIsWhatIsThereWithoutIt) {
  ImageBucket bucket(12);
  for (const PixelType type : {PixelType::kUint8, PixelType::kFloat16, PixelType::kFloat32}) {
    for (const PixelLayout layout : {PixelLayout::kNhwc, PixelLayout::kNchw}) {
      for (const ResizeFamily family : {ResizeFamily::kPillow, ResizeFamily::kTensorflow}) {
        for (const bool sized : {false, true}) {
          LoaderOptions options = SmallOptions();
          if (sized) options.image = ImageSpec{};
          options.shuffle = true;
          options.image.type = type;
          options.image.layout = layout;
          options.image.family = family;
          options.image.jitter.contrast = 0.5;
          if (type != PixelType::kUint8) options.image.mean = ImageSpec::kImagenetMean;
          Loader plain(bucket.Open(), options);
          options.transform = Same;
          Loader transformed(bucket.Open(), options);
          const std::vector<Given> expected = Epochs(plain, 2);
          const std::vector<Given> given = Epochs(transformed, 2);
          if (family == ResizeFamily::kPillow || type == PixelType::kUint8) {
            EXPECT_EQ(given, expected);
          } else {  // level_writer_test.cc says by how much it differs
            EXPECT_EQ(given.size(), expected.size());
          }
        }
      }
    }
  }
}

TEST(LoaderTransform, SeesTheSampleAndItsLevels) {
  ImageBucket bucket(10);
  const Dataset dataset = bucket.Open("mem://data/", {.labels = Labels::Folder()});
  LoaderOptions options = SmallOptions();
  options.seed = 11;
  options.shuffle = true;
  options.image.type = PixelType::kFloat32;
  std::mutex mutex;
  std::map<uint64_t, uint64_t> seen;  // records by position
  options.transform = [&](TransformSample& sample) {
    EXPECT_EQ(sample.seed, 11u);
    EXPECT_EQ(sample.Key(), dataset.Key(sample.index));
    EXPECT_EQ(sample.dataset.LabelInteger(sample.index), dataset.LabelInteger(sample.index));
    EXPECT_EQ(sample.fields.size(), 1u);
    const TransformField& field = sample.fields.front();
    EXPECT_TRUE(field.bytes.empty());
    EXPECT_EQ(field.height, 16);
    EXPECT_EQ(field.width, 16);
    EXPECT_EQ(field.channels, 3);
    ImageSpec levels = SmallSpec();
    levels.layout = PixelLayout::kNhwc;
    EXPECT_EQ(std::vector(field.pixels.begin(), field.pixels.end()),
              ExpectedRow(dataset, sample.index, levels, CounterRng(11, sample.epoch, sample.position)));
    std::lock_guard lock(mutex);
    if (sample.epoch == 1) seen[sample.position] = sample.index;
    return TransformResult::Keep();
  };
  Loader loader(dataset, options);
  Epochs(loader, 2);
  const Permutation order(10, 11, 1);
  std::lock_guard lock(mutex);
  EXPECT_GE(seen.size(), 8u);
  for (const auto& [position, record] : seen) EXPECT_EQ(record, order.At(position));
}

TEST(LoaderTransform, ChangesInPlaceAreNormalisedAndLaidOut) {
  ImageBucket bucket(4);
  LoaderOptions options = SmallOptions();
  options.image.type = PixelType::kFloat32;
  options.image.layout = PixelLayout::kNchw;
  options.image.scale = 1;
  options.image.mean = {1, 2, 3};
  options.transform = [](TransformSample& sample) {
    const std::span<uint8_t> pixels = sample.fields.front().pixels;
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(10 * (i % 3) + 50);
    return TransformResult::Keep();
  };
  Loader loader(bucket.Open(), options);
  const Batch batch = *loader.Next();
  const std::span values(reinterpret_cast<const float*>(batch.pixels()), batch.pixel_bytes() / sizeof(float));
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(values[i], std::vector<float>({49, 58, 67})[i / (16 * 16) % 3]);
  }
}

TEST(LoaderTransform, ValuesStandInsteadOfPixels) {
  ImageBucket bucket(10);
  LoaderOptions options = SmallOptions();
  options.shuffle = true;
  options.last = LastPolicy::kPad;
  options.transform = IndexOf;
  options.allocator = [](size_t) -> std::shared_ptr<void> {
    ADD_FAILURE() << "values need no pixels";
    return nullptr;
  };
  Loader loader(bucket.Open(), options);
  while (const std::optional<Batch> batch = loader.Next()) {
    ASSERT_TRUE(batch->has_values());
    EXPECT_EQ(batch->pixels(), nullptr);
    EXPECT_EQ(batch->pixel_bytes(), 0u);
    EXPECT_EQ(batch->geometry().size(), size_t{6} * batch->rows());
    for (uint32_t row = 0; row < batch->rows(); ++row) EXPECT_EQ(Number(*batch, row), batch->indices()[row]);
  }
  EXPECT_EQ(loader.Stats().lent_bytes, 0u);
  EXPECT_LE(loader.Stats().budget_peak, options.memory);
}

TEST(LoaderTransform, RawBytesAreSeenAndKept) {
  ImageBucket bucket(10);
  const Dataset dataset = bucket.Open();
  LoaderOptions options = SmallOptions();
  options.decode = false;
  for (const bool values : {false, true}) {
    options.transform = [&, values](TransformSample& sample) {
      const TransformField& field = sample.fields.front();
      EXPECT_TRUE(field.pixels.empty());
      EXPECT_EQ(field.bytes.ToString(), dataset.Read(sample.index).data.ToString());
      return values ? IndexOf(sample) : TransformResult::Keep();
    };
    Loader loader(dataset, options);
    uint64_t record = 0;
    while (const std::optional<Batch> batch = loader.Next()) {
      EXPECT_EQ(batch->has_values(), values);
      for (uint32_t row = 0; row < batch->rows(); ++row, ++record) {
        if (values) {
          EXPECT_EQ(Number(*batch, row), record);
        } else {
          EXPECT_EQ(batch->raw(row).ToString(), dataset.Read(record).data.ToString());
        }
      }
    }
    EXPECT_EQ(record, 10u);
    EXPECT_LE(loader.Stats().budget_peak, options.memory);
  }
}

TEST(LoaderTransform, ItsTimeIsCountedBesideThatOfDecoding) {
  ImageBucket bucket(8);
  LoaderOptions options = SmallOptions();
  options.transform = [](TransformSample&) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
    while (std::chrono::steady_clock::now() < until) continue;
    return TransformResult::Keep();
  };
  Loader loader(bucket.Open(), options);
  RestOfEpoch(loader);
  const LoaderStats stats = loader.Stats();
  EXPECT_GE(stats.transform.count, 8u);
  EXPECT_GE(stats.transform.wall, 8 * std::chrono::milliseconds(2));
  EXPECT_GT(stats.transform.cpu, Duration(0));
  options.decode = false;
  Loader raw(bucket.Open(), options);
  RestOfEpoch(raw);
  EXPECT_EQ(raw.Stats().decode_threads, 2u);
  EXPECT_EQ(raw.Stats().decode.count, 0u);
  EXPECT_GE(raw.Stats().transform.count, 8u);
}

// A lock that a test does not wait for in vain.
class Interpreter {
 public:
  void Lock() {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(free_.wait_for(lock, kDeadline, [&] { return !held_; })) << "a deadlock";
    held_ = true;
  }
  void Unlock() {
    std::lock_guard lock(mutex_);
    held_ = false;
    free_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable free_;
  bool held_ = false;
};

// A lock that the transform needs and the consumer holds but in calls of the loader, as Python's.
TEST(LoaderTransform, MayNeedALockThatTheConsumerLetsGoOfInCalls) {
  ImageBucket bucket(40);
  Interpreter interpreter;
  std::atomic<int> inside = 0;
  LoaderOptions options = SmallOptions();
  options.threads = 4;
  options.transform = [&](TransformSample&) {
    interpreter.Lock();
    ++inside;
    interpreter.Unlock();
    return TransformResult::Keep();
  };
  const Dataset dataset = bucket.Open();
  interpreter.Lock();
  const auto released = [&](auto call) {
    interpreter.Unlock();
    call();
    interpreter.Lock();
  };
  for (int i = 0; i < 10; ++i) {
    auto loader = std::make_unique<Loader>(dataset, options);
    for (int batch = 0; batch < i; ++batch) released([&] { EXPECT_TRUE(loader->Next()); });
    EXPECT_EQ(loader->State().position, 4u * static_cast<uint64_t>(i));  // never waits for a transform
    EXPECT_EQ(loader->Stats().batches, static_cast<uint64_t>(i));
    const LoaderState state = loader->State();
    released([&] { loader->Restore(state); });
    released([&] { EXPECT_EQ(loader->Next().has_value(), i < 10); });
    if (i % 2 == 0) released([&] { loader->Close(); });
    released([&] { loader.reset(); });
    const int before = inside;
    std::this_thread::yield();
    EXPECT_EQ(inside, before) << "a transform outlived its loader";
  }
}

TEST(LoaderTransform, CloseWaitsForThoseThatRun) {
  ImageBucket bucket(8);
  std::mutex mutex;
  std::condition_variable changed;
  int entered = 0;
  int left = 0;
  bool go = false;
  LoaderOptions options = SmallOptions();
  options.transform = [&](TransformSample&) {
    std::unique_lock lock(mutex);
    ++entered;
    changed.notify_all();
    EXPECT_TRUE(changed.wait_for(lock, kDeadline, [&] { return go; }));
    ++left;
    return TransformResult::Keep();
  };
  Loader loader(bucket.Open(), options);
  std::thread consumer([&] { EXPECT_EQ(ErrorOf([&] { loader.Next(); }).code(), ErrorCode::kCancelled); });
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, kDeadline, [&] { return entered == 2; }));
  }
  std::thread closer([&] {
    loader.Close();
    std::lock_guard lock(mutex);
    EXPECT_GE(left, 2);
    EXPECT_EQ(left, entered);
  });
  consumer.join();  // Close has begun
  {
    std::lock_guard lock(mutex);
    EXPECT_EQ(left, 0);
    go = true;
    changed.notify_all();
  }
  closer.join();
}

TEST(LoaderTransform, RunsOnSeveralThreadsAtATime) {
  ImageBucket bucket(8);
  std::mutex mutex;
  std::condition_variable met;
  int inside = 0;
  bool together = false;
  LoaderOptions options = SmallOptions();
  options.transform = [&](TransformSample&) {
    std::unique_lock lock(mutex);
    together |= ++inside >= 2;
    met.notify_all();
    EXPECT_TRUE(met.wait_for(lock, kDeadline, [&] { return together; }));
    --inside;
    return TransformResult::Keep();
  };
  Loader loader(bucket.Open(), options);
  EXPECT_EQ(RestOfEpoch(loader).size(), 2u);
}

}  // namespace
}  // namespace bucketline
