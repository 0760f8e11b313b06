#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

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

TEST(LoaderTransformFaults, KeepingSomeAndReplacingOthersIsAnErrorNamingOne) {
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

TEST(LoaderTransformFaults, WhatItThrowsComesThroughWhateverOnErrorSays) {
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

TEST(LoaderTransformFaults, ThrowingWhatIsNoExceptionComesThroughToo) {
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

TEST(LoaderTransformFaults, ASkippedSampleFollowsOnError) {
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

TEST(LoaderTransformFaults, MaskedRowsOfValuesAreNull) {
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

TEST(LoaderTransformFaults, ReplacementsOfRawRowsStayWithinTheMemory) {
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

TEST(LoaderTransformFaults, TheFailureOfTheAllocatorIsNoBadSample) {
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

TEST(LoaderTransformFaults, TheSampleThatItFailedOnIsNamedAlsoWhereItStandsInForAnother) {
  ImageBucket bucket(12);
  bucket.PutCorrupt(bucket.Open().Key(2));
  const Dataset dataset = bucket.Open();
  const uint64_t stand_in = ReplacementRecord(0, 0, 2, 0, 12);
  ASSERT_NE(stand_in, 2u);
  LoaderOptions options = SmallOptions();
  options.on_error = OnError::kSkip;
  options.max_skipped = 1;
  options.transform = [&](TransformSample& sample) {
    if (sample.position == 2) throw UsersOwn("no such column");
    return TransformResult::Keep();
  };
  Loader loader(dataset, options);
  EXPECT_EQ(ErrorOf([&] { loader.Next(); }).uri(), dataset.UriAt(stand_in));
}

}  // namespace
}  // namespace bucketline
