#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"
#include "bucketline/loader/skip_policy.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;

constexpr std::chrono::seconds kDeadline{30};

TransformResult Same(TransformSample&) { return TransformResult::Keep(); }

// The record's number, as a value.
TransformResult IndexOf(TransformSample& sample) {
  return TransformResult::Value(std::make_shared<uint64_t>(sample.index));
}

uint64_t Number(const Batch& batch, uint32_t row) {
  return *static_cast<const uint64_t*>(batch.value(row).get());
}

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

TEST(LoaderTransform, KeepingSomeAndReplacingOthersIsAnErrorNamingOne) {
  ImageBucket bucket(12);
  const Dataset dataset = bucket.Open();
  for (const uint64_t first_other : {6, 8}) {  // in the middle of a batch, and at its start
    LoaderOptions options = SmallOptions();
    options.transform = [=](TransformSample& sample) {
      return sample.index < first_other ? TransformResult::Keep() : IndexOf(sample);
    };
    Loader loader(dataset, options);
    for (uint64_t i = 0; i < first_other / 4; ++i) ASSERT_TRUE(loader.Next());
    for (int i = 0; i < 2; ++i) {
      const Error error = ErrorOf([&] { loader.Next(); });
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_EQ(error.uri(), dataset.UriAt(first_other));
      EXPECT_THAT(error.what(), AllOf(HasSubstr("gave a value for this sample"), HasSubstr("kept others")));
    }
    options.transform = [=](TransformSample& sample) {
      return sample.index < first_other ? IndexOf(sample) : TransformResult::Keep();
    };
    Loader reversed(dataset, options);
    for (uint64_t i = 0; i < first_other / 4; ++i) ASSERT_TRUE(reversed.Next());
    EXPECT_EQ(ErrorOf([&] { reversed.Next(); }).code(), ErrorCode::kInvalidArgument);
  }
}

struct UsersOwn : std::runtime_error {
  using std::runtime_error::runtime_error;
};

TEST(LoaderTransform, WhatItThrowsComesThroughWhateverOnErrorSays) {
  ImageBucket bucket(12);
  const Dataset dataset = bucket.Open();
  for (const OnError on_error : {OnError::kRaise, OnError::kSkip, OnError::kMask}) {
    for (const bool decode : {true, false}) {
      LoaderOptions options = SmallOptions();
      options.on_error = on_error;
      options.decode = decode;
      options.max_skipped = 1;
      options.transform = [](TransformSample& sample) {
        if (sample.index == 6) throw UsersOwn("no such column");
        return TransformResult::Keep();
      };
      Loader loader(dataset, options);
      ASSERT_TRUE(loader.Next());
      for (int i = 0; i < 2; ++i) {
        try {
          loader.Next();
          ADD_FAILURE() << "nothing was thrown";
        } catch (const TransformError& error) {
          EXPECT_EQ(error.uri(), dataset.UriAt(6));
          EXPECT_THAT(error.what(), HasSubstr("the transform failed: no such column"));
          EXPECT_THROW(std::rethrow_exception(error.cause()), UsersOwn);
        }
      }
    }
  }
}

TEST(LoaderTransform, ThrowingWhatIsNoExceptionComesThroughToo) {
  ImageBucket bucket(4);
  LoaderOptions options = SmallOptions();
  options.transform = [](TransformSample&) -> TransformResult { throw 7; };
  Loader loader(bucket.Open(), options);
  try {
    loader.Next();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const TransformError& error) {
    EXPECT_THROW(std::rethrow_exception(error.cause()), int);
  }
}

// Samples 2 and 7 are not wanted.
TransformResult SkipSome(TransformSample& sample) {
  return sample.index == 2 || sample.index == 7 ? TransformResult::Skip("too dark") : TransformResult::Keep();
}

TEST(LoaderTransform, ASkippedSampleFollowsOnError) {
  ImageBucket bucket(12);
  const Dataset dataset = bucket.Open();
  for (const bool decode : {true, false}) {
    LoaderOptions options = SmallOptions();
    options.decode = decode;
    options.max_skipped = 1;
    options.transform = SkipSome;
    std::mutex mutex;
    std::vector<std::string> reasons;
    options.on_bad_sample = [&](const BadSample& bad) {
      std::lock_guard lock(mutex);
      if (bad.epoch == 0) reasons.push_back(bad.reason);
    };
    Loader raising(dataset, options);
    const Error error = ErrorOf([&] { raising.Next(); });
    EXPECT_EQ(error.uri(), dataset.UriAt(2));
    EXPECT_THAT(error.what(), AllOf(HasSubstr("too dark"), HasSubstr("on_error")));

    options.on_error = OnError::kMask;
    Loader masking(dataset, options);
    const Batch masked = *masking.Next();
    EXPECT_THAT(masked.valid(), ::testing::ElementsAre(1, 1, 0, 1));
    if (decode) {
      EXPECT_THAT(RowOf(Copy(masked), 2), Each(0));
    } else {
      EXPECT_TRUE(masked.raw(2).empty());
    }
    RestOfEpoch(masking);
    {
      std::lock_guard lock(mutex);
      EXPECT_EQ(reasons.size(), 2u);
      EXPECT_THAT(reasons, Each(HasSubstr("too dark")));
    }

    options.on_error = OnError::kSkip;
    Loader skipping(dataset, options);
    const Batch skipped = *skipping.Next();
    int attempt = 0;
    uint64_t record = ReplacementRecord(0, 0, 2, attempt, 12);
    while (record == 2 || record == 7) record = ReplacementRecord(0, 0, 2, ++attempt, 12);
    EXPECT_EQ(skipped.indices()[2], record);
    EXPECT_THAT(skipped.valid(), Each(1));
    if (!decode) {
      EXPECT_EQ(skipped.raw(2).ToString(), dataset.Read(record).data.ToString());
    }
    RestOfEpoch(skipping);
    EXPECT_EQ(skipping.Stats().skipped, 2u);
  }
}

TEST(LoaderTransform, MaskedRowsOfValuesAreNull) {
  ImageBucket bucket(8);
  LoaderOptions options = SmallOptions();
  options.on_error = OnError::kMask;
  options.max_skipped = 1;
  options.transform = [](TransformSample& sample) {
    return sample.index > 3 || sample.index == 1 ? TransformResult::Skip("") : IndexOf(sample);
  };
  Loader loader(bucket.Open(), options);
  const Batch some = *loader.Next();
  EXPECT_EQ(some.value(1), nullptr);
  EXPECT_EQ(Number(some, 2), 2u);
  const Batch none = *loader.Next();
  ASSERT_TRUE(none.has_values());
  EXPECT_EQ(none.value(0), nullptr);
}

TEST(LoaderTransform, ReplacementsOfRawRowsStayWithinTheMemory) {
  Bucket bucket;
  for (int i = 0; i < 40; ++i) {
    bucket.Put("k" + std::to_string(100 + i), std::string(i % 8 == 0 ? 20000 : 100, 'x'));
  }
  LoaderOptions options = SmallOptions(3);
  options.decode = false;
  options.on_error = OnError::kSkip;
  options.max_skipped = 1;
  options.memory = 20000 + 2 * 3 * 20000;
  options.transform = [](TransformSample& sample) {
    return sample.fields.front().bytes.size() < 1000 ? TransformResult::Skip("small")
                                                     : TransformResult::Keep();
  };
  const Dataset dataset = bucket.Open("mem://data/", {.extensions = {}});
  const auto sizes_of = [&](size_t threads) {
    options.threads = threads;
    Loader loader(dataset, options);
    std::vector<uint64_t> indices;
    const auto take = [&] {
      while (const std::optional<Batch> batch = loader.Next()) {
        indices.insert(indices.end(), batch->indices().begin(), batch->indices().end());
      }
    };
    const Error error = ErrorOf(take);  // at some place eight draws do not find one of the five large ones
    EXPECT_THAT(error.what(), HasSubstr("none of the 8"));
    EXPECT_LE(loader.Stats().budget_peak, options.memory);
    return indices;
  };
  EXPECT_EQ(sizes_of(1), sizes_of(4));
}

TEST(LoaderTransform, TheFailureOfTheAllocatorIsNoBadSample) {
  ImageBucket bucket(4);
  LoaderOptions options = SmallOptions();
  options.on_error = OnError::kSkip;
  options.max_skipped = 1;
  options.transform = Same;
  options.allocator = [](size_t) -> std::shared_ptr<void> {
    throw Error(ErrorCode::kResourceExhausted, "no pinned memory");
  };
  Loader loader(bucket.Open(), options);
  EXPECT_THAT(ErrorOf([&] { loader.Next(); }).what(), HasSubstr("no pinned memory"));
  EXPECT_EQ(loader.Stats().skipped, 0u);
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

// A lock that the transform needs and the consumer holds but in calls of the loader, as Python's.
TEST(LoaderTransform, MayNeedALockThatTheConsumerLetsGoOfInCalls) {
  ImageBucket bucket(40);
  std::timed_mutex interpreter;
  std::atomic<int> inside = 0;
  LoaderOptions options = SmallOptions();
  options.threads = 4;
  options.transform = [&](TransformSample&) {
    const std::unique_lock lock(interpreter, kDeadline);
    EXPECT_TRUE(lock.owns_lock());
    ++inside;
    return TransformResult::Keep();
  };
  const Dataset dataset = bucket.Open();
  std::unique_lock held(interpreter);
  const auto released = [&](auto call) {
    held.unlock();
    call();
    held.lock();
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
