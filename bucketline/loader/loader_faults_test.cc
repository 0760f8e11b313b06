#include <algorithm>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"
#include "bucketline/loader/skip_policy.h"
#include "bucketline/store/fault_store.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;

// Twenty images of which numbers 5 and 13 in the dataset's order are bad.
class LoaderFaults : public ::testing::Test {
 protected:
  LoaderFaults() : bucket_(20) {
    const Dataset good = bucket_.Open();
    for (const uint64_t record : {5, 13}) bucket_.PutCorrupt(good.Key(record));
    dataset_ = std::make_unique<Dataset>(bucket_.Open());
  }

  LoaderOptions Options(OnError on_error) {
    LoaderOptions options = SmallOptions();
    options.on_error = on_error;
    options.max_skipped = 0.1;
    options.on_bad_sample = [this](const BadSample& bad) {
      std::lock_guard lock(mutex_);
      if (bad.epoch == 0) reports_.push_back(bad);
    };
    return options;
  }

  std::vector<BadSample> Reports() {
    std::lock_guard lock(mutex_);
    std::sort(reports_.begin(), reports_.end(), [](auto& a, auto& b) { return a.position < b.position; });
    return reports_;
  }

  ImageBucket bucket_;
  std::unique_ptr<Dataset> dataset_;
  std::mutex mutex_;
  std::vector<BadSample> reports_;
};

TEST_F(LoaderFaults, RaiseThrowsAtItsBatchAndAgain) {
  ImageBucket sound(20);
  Loader whole(sound.Open(), SmallOptions());
  const std::vector<Given> expected = RestOfEpoch(whole);
  Loader loader(*dataset_, Options(OnError::kRaise));
  const std::optional<Batch> first = loader.Next();
  ASSERT_TRUE(first);
  EXPECT_EQ(Copy(*first).pixels, expected[0].pixels);
  for (int i = 0; i < 2; ++i) {
    const Error error = ErrorOf([&] { loader.Next(); });
    EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
    EXPECT_EQ(error.uri(), dataset_->UriAt(5));
    EXPECT_THAT(error.what(), AllOf(HasSubstr("HTML"), HasSubstr("on_error")));
  }
  EXPECT_EQ(loader.State().position, 4u);
  EXPECT_TRUE(Reports().empty());
}

TEST_F(LoaderFaults, OfSeveralTheFirstInOrderIsRaised) {
  for (const uint64_t record : {4, 6, 7}) bucket_.PutCorrupt(bucket_.Open().Key(record));
  for (int i = 0; i < 10; ++i) {
    Loader loader(bucket_.Open(), Options(OnError::kRaise));
    ASSERT_TRUE(loader.Next());
    EXPECT_EQ(ErrorOf([&] { loader.Next(); }).uri(), dataset_->UriAt(4));
  }
}

TEST_F(LoaderFaults, MaskZeroesTheRow) {
  Loader loader(*dataset_, Options(OnError::kMask));
  const std::vector<Given> batches = RestOfEpoch(loader);
  ASSERT_EQ(batches.size(), 5u);
  for (size_t i = 0; i < 20; ++i) {
    const bool bad = i == 5 || i == 13;
    EXPECT_EQ(batches[i / 4].valid[i % 4], bad ? 0 : 1);
    EXPECT_EQ(batches[i / 4].indices[i % 4], i);
    if (bad) {
      EXPECT_THAT(RowOf(batches[i / 4], i % 4), Each(0));
    }
  }
  EXPECT_EQ(loader.Stats().masked, 2u);
  EXPECT_EQ(loader.Stats().skipped, 0u);
  EXPECT_EQ(loader.Stats().images, 18u);
  const std::vector<BadSample> reports = Reports();
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].position, 5u);
  EXPECT_EQ(reports[0].uri, dataset_->UriAt(5));
  EXPECT_THAT(reports[0].reason, HasSubstr("HTML"));
  EXPECT_EQ(reports[0].replaced_by, "");
}

TEST_F(LoaderFaults, SkipFillsTheRowWithTheRecordOfTheRule) {
  Loader loader(*dataset_, Options(OnError::kSkip));
  const std::vector<Given> batches = RestOfEpoch(loader);
  ASSERT_EQ(batches.size(), 5u);
  for (const uint64_t position : {5, 13}) {
    int attempt = 0;
    uint64_t record = ReplacementRecord(0, 0, position, attempt, 20);
    while (record == 5 || record == 13) record = ReplacementRecord(0, 0, position, ++attempt, 20);
    const Given& batch = batches[position / 4];
    EXPECT_EQ(batch.indices[position % 4], record);
    EXPECT_EQ(batch.valid[position % 4], 1);
    EXPECT_EQ(RowOf(batch, position % 4),
              ExpectedRow(*dataset_, record, SmallSpec(), CounterRng(0, 0, position)));
  }
  EXPECT_EQ(loader.Stats().skipped, 2u);
  EXPECT_EQ(loader.Stats().masked, 0u);
  const std::vector<BadSample> reports = Reports();
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[1].uri, dataset_->UriAt(13));
  EXPECT_EQ(reports[1].replaced_by, dataset_->UriAt(batches[3].indices[1]));
}

TEST_F(LoaderFaults, SkippingIsTheSameUnderEveryTiming) {
  std::vector<Given> expected;
  for (const size_t threads : {1, 4}) {
    for (const uint64_t memory : {uint64_t{1500000}, uint64_t{32} << 20}) {
      LoaderOptions options = Options(OnError::kSkip);
      options.threads = threads;
      options.memory = memory;
      options.shuffle = true;
      Loader loader(*dataset_, options);
      const std::vector<Given> batches = Epochs(loader, 3);
      if (expected.empty()) expected = batches;
      EXPECT_EQ(batches, expected);
      EXPECT_LE(loader.Stats().budget_peak, memory);
    }
  }
}

TEST_F(LoaderFaults, OneMoreThanMaxSkippedEndsTheRun) {
  for (const OnError on_error : {OnError::kSkip, OnError::kMask}) {
    LoaderOptions options = Options(on_error);
    options.max_skipped = 0.05;  // one of twenty
    Loader loader(*dataset_, options);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(loader.Next());
    for (int i = 0; i < 2; ++i) {
      const Error error = ErrorOf([&] { loader.Next(); });
      EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("2 samples"), HasSubstr("0.05 allows 1"),
                                      HasSubstr("max_skipped"), HasSubstr(dataset_->UriAt(13))));
    }
  }
}

TEST_F(LoaderFaults, EachEpochCountsAnew) {
  LoaderOptions options = Options(OnError::kMask);
  Loader loader(*dataset_, options);
  EXPECT_EQ(Epochs(loader, 3).size(), 15u);
  EXPECT_EQ(loader.Stats().masked, 6u);
}

TEST_F(LoaderFaults, RowsThatOnlyFillUpAreNotCounted) {
  LoaderOptions options = Options(OnError::kMask);
  options.batch_size = 13;
  options.last = LastPolicy::kPad;  // rows 20..25 are positions 0..5 again
  Loader loader(*dataset_, options);
  EXPECT_EQ(RestOfEpoch(loader).size(), 2u);
  EXPECT_EQ(loader.Stats().masked, 2u);
  EXPECT_EQ(Reports().size(), 2u);
}

TEST_F(LoaderFaults, WhenEverythingIsBadTheDrawsEnd) {
  for (uint64_t i = 0; i < 20; ++i) bucket_.PutCorrupt(dataset_->Key(i));
  LoaderOptions options = Options(OnError::kSkip);
  options.max_skipped = 1;
  Loader loader(bucket_.Open(), options);
  EXPECT_THAT(ErrorOf([&] { loader.Next(); }).what(),
              AllOf(HasSubstr("none of the 8"), HasSubstr(dataset_->UriAt(0))));
}

TEST_F(LoaderFaults, APixelLimitIsAFaultOfTheBytes) {
  bucket_.PutImage(dataset_->Key(2), 2, 200, 200);
  LoaderOptions options = Options(OnError::kMask);
  options.max_skipped = 1;
  options.image.max_pixels = 100 * 100;
  Loader loader(bucket_.Open(), options);
  EXPECT_EQ(loader.Next()->valid()[2], 0);
  options.on_error = OnError::kRaise;
  Loader raising(bucket_.Open(), options);
  const Error error = ErrorOf([&] { raising.Next(); });
  EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.what(), HasSubstr("200 x 200"));
}

TEST_F(LoaderFaults, ErrorsOfTheStoreAreNeverSkipped) {
  for (const ErrorCode code : {ErrorCode::kConnection, ErrorCode::kPermissionDenied, ErrorCode::kNotFound,
                               ErrorCode::kCorruptData, ErrorCode::kTimeout}) {
    const auto script = [&, code](const StoreCall& call, uint64_t) {
      return call.key == dataset_->Key(6) ? Fault::FailBefore(Error(code, "injected")) : Fault::None();
    };
    auto store = std::make_shared<FaultStore>(bucket_.store(), script);
    for (const OnError on_error : {OnError::kRaise, OnError::kSkip, OnError::kMask}) {
      LoaderOptions options = Options(on_error);
      options.max_skipped = 1;
      Loader loader(bucket_.OpenThrough(store), options);
      ASSERT_TRUE(loader.Next());
      const Error error = ErrorOf([&] {
        loader.Next();
        loader.Next();
      });
      if (on_error == OnError::kRaise) continue;  // record 5 comes first
      EXPECT_EQ(error.code(), code);
      EXPECT_THAT(error.what(), HasSubstr(dataset_->Key(6)));
    }
  }
}

TEST_F(LoaderFaults, AChangedObjectIsRaisedWithTheRemedy) {
  const std::string key = dataset_->Key(1);
  bucket_.PutImage(key, 777);
  Loader loader(*dataset_, Options(OnError::kSkip));
  const Error error = ErrorOf([&] { loader.Next(); });
  EXPECT_EQ(error.code(), ErrorCode::kObjectChanged);
  EXPECT_THAT(error.what(), AllOf(HasSubstr(key), HasSubstr("pin=\"size\"")));
}

TEST_F(LoaderFaults, AReportThatThrowsIsRaised) {
  LoaderOptions options = Options(OnError::kMask);
  options.on_bad_sample = [](const BadSample&) { throw Error(ErrorCode::kIo, "disk full", "/bad.jsonl"); };
  Loader loader(*dataset_, options);
  ASSERT_TRUE(loader.Next());
  EXPECT_THAT(ErrorOf([&] { loader.Next(); }).what(),
              AllOf(HasSubstr("on_bad_sample"), HasSubstr("disk full"), HasSubstr("/bad.jsonl")));
}

}  // namespace
}  // namespace bucketline
