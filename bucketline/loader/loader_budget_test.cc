#include <chrono>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"
#include "bucketline/loader/memory_layout.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/recording_store.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::AllOf;
using ::testing::HasSubstr;

// Batches of 16 x 64 x 64 x 3 floats: 768 KiB.
LoaderOptions LargeBatches() {
  LoaderOptions options = SmallOptions(16);
  options.image = ImageSpec{};
  options.image.height = 64;
  options.image.width = 64;
  return options;
}

constexpr uint64_t kBatchBytes = 16 * 64 * 64 * 3 * 4;

TEST(LoaderBudget, TheMinimumWorksAndOneByteLessIsRefused) {
  ImageBucket bucket(40);
  const Dataset dataset = bucket.Open();
  Loader plenty(dataset, LargeBatches());
  const std::vector<Given> expected = Epochs(plenty, 2);
  LoaderOptions options = LargeBatches();
  options.memory = dataset.largest_record() + 2 * kBatchBytes;
  Loader loader(dataset, options);
  EXPECT_EQ(Epochs(loader, 2), expected);
  EXPECT_LE(loader.Stats().budget_peak, options.memory);
  EXPECT_EQ(loader.Stats().budget_capacity, options.memory);
  const uint64_t minimum = options.memory--;
  const Error error = ErrorOf([&] { Loader refused(dataset, options); });
  EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.what(),
              AllOf(HasSubstr(dataset.largest_record_uri()), HasSubstr(std::to_string(minimum))));
}

TEST(LoaderBudget, EveryMemoryFromTheMinimumOnGivesTheSame) {
  ImageBucket bucket(40);
  const Dataset dataset = bucket.Open();
  Loader plenty(dataset, LargeBatches());
  const std::vector<Given> expected = RestOfEpoch(plenty);
  const uint64_t minimum = dataset.largest_record() + 2 * kBatchBytes;
  for (uint64_t memory = minimum; memory < 6 * kBatchBytes; memory += kBatchBytes / 3 + 1) {
    LoaderOptions options = LargeBatches();
    options.memory = memory;
    Loader loader(dataset, options);
    EXPECT_EQ(RestOfEpoch(loader), expected) << memory;
    EXPECT_LE(loader.Stats().budget_peak, memory);
  }
}

// A record that does not come holds up its batch, and not the reading of what comes after.
TEST(LoaderBudget, RecordsAreReadFurtherAheadThanBatchesHaveRoom) {
  ImageBucket bucket(400);
  const std::string first = bucket.Open().Key(0);
  const auto hang = [first](const StoreCall& call, uint64_t) {
    return call.op == StoreOp::kGet && call.key == first ? Fault::Hang() : Fault::None();
  };
  auto store = std::make_shared<RecordingStore>(std::make_shared<FaultStore>(bucket.store(), hang));
  LoaderOptions options = LargeBatches();
  options.memory = 6 * kBatchBytes;
  options.epochs = 1;
  Loader loader(bucket.OpenThrough(store), options);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (store->CountOf(StoreOp::kGet) < 400 && std::chrono::steady_clock::now() < deadline) {
    EXPECT_FALSE(loader.WaitFor(std::chrono::milliseconds(1)));
  }
  EXPECT_EQ(store->CountOf(StoreOp::kGet), 400u) << "6 batches have 96 rows";
  EXPECT_LE(loader.Stats().budget_peak, options.memory);
}

TEST(LoaderBudget, StandInsHaveRoomBesideRowsThatWaitForTheirSlot) {
  ImageBucket bucket(160);
  for (int i = 0; i < 160; ++i) {
    if (i % 3 == 0) bucket.PutCorrupt(bucket.Open().Key(static_cast<uint64_t>(i)));
  }
  const Dataset dataset = bucket.Open();
  LoaderOptions options = LargeBatches();
  options.on_error = OnError::kSkip;
  options.max_skipped = 1;
  Loader plenty(dataset, options);
  const std::vector<Given> expected = Epochs(plenty, 2);
  options.memory = 2 * dataset.largest_record() + 2 * kBatchBytes;
  Loader loader(bucket.OpenThrough(Uneven(bucket.store(), 2000)), options);
  EXPECT_EQ(Epochs(loader, 2), expected);
  EXPECT_LE(loader.Stats().budget_peak, options.memory);
  --options.memory;
  EXPECT_EQ(ErrorOf([&] { Loader refused(dataset, options); }).code(), ErrorCode::kResourceExhausted);
}

TEST(LoaderBudget, KeepingBatchesCostsTheUserAndNeverHangs) {
  ImageBucket bucket(64);
  LoaderOptions options = LargeBatches();
  options.memory = 3 * kBatchBytes;
  Loader loader(bucket.Open(), options);
  std::vector<Batch> kept;
  for (int epoch = 0; epoch < 3; ++epoch) {
    while (std::optional<Batch> batch = loader.Next()) kept.push_back(*batch);
  }
  ASSERT_EQ(kept.size(), 12u);
  EXPECT_EQ(loader.Stats().lent_bytes, 12 * kBatchBytes);
  EXPECT_LE(loader.Stats().budget_peak, options.memory);
  kept.resize(5, kept[0]);
  EXPECT_EQ(loader.Stats().lent_bytes, 5 * kBatchBytes);
  const std::shared_ptr<void> owner = kept[0].owner();  // a view keeps the memory as well
  kept.clear();
  EXPECT_EQ(loader.Stats().lent_bytes, kBatchBytes);
}

TEST(LoaderBudget, BatchesOutliveLoaderAndRuntime) {
  std::optional<Batch> batch;
  std::vector<uint8_t> before;
  std::string key;
  {
    ImageBucket bucket(4);
    Loader loader(bucket.Open(), SmallOptions());
    batch = loader.Next();
    before = Copy(*batch).pixels;
    key = batch->Key(3);
    loader.Close();
    EXPECT_EQ(Copy(*batch).pixels, before);
  }
  EXPECT_EQ(Copy(*batch).pixels, before);
  EXPECT_EQ(batch->Key(3), key);
}

TEST(LoaderBudget, ScratchThatCanNeverFitNamesTheMinimum) {
  ImageBucket bucket(3);
  const Dataset small = bucket.Open();
  bucket.PutImage(small.Key(1), 1, 9000, 4);  // a wide one: its rows are long
  const Dataset dataset = bucket.Open();
  LoaderOptions options = SmallOptions(1);
  options.on_error = OnError::kSkip;  // a matter of the budget is not skipped
  options.max_skipped = 1;
  options.memory = 1100000;
  Loader loader(dataset, options);
  ASSERT_TRUE(loader.Next());
  const Error error = ErrorOf([&] { loader.Next(); });
  EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(error.uri(), dataset.UriAt(1));
  const std::string text = error.what();
  const size_t at = text.find("a memory of ");
  ASSERT_NE(at, std::string::npos) << text;
  options.memory = std::stoull(text.substr(at + 12));
  Loader enough(dataset, options);
  EXPECT_EQ(RestOfEpoch(enough).size(), 3u);
  EXPECT_LE(enough.Stats().budget_peak, options.memory);
}

TEST(LoaderBudget, TheRuntimesMemoryCapsTheSum) {
  ImageBucket bucket(40, Quiet(6 * kBatchBytes));
  const Dataset dataset = bucket.Open();
  Loader training(dataset, LargeBatches());
  Loader validation(dataset, LargeBatches());
  const uint64_t minimum = dataset.largest_record() + 2 * kBatchBytes;
  EXPECT_EQ(bucket.runtime().memory()->used(), 2 * minimum);
  // Each has its minimum, so the one goes on while nobody takes from the other.
  ASSERT_TRUE(training.Next());
  EXPECT_EQ(RestOfEpoch(validation).size(), 3u);
  EXPECT_EQ(RestOfEpoch(training).size(), 2u);
  EXPECT_LE(bucket.runtime().memory()->peak(), 6 * kBatchBytes);
  EXPECT_LE(training.Stats().budget_capacity + validation.Stats().budget_capacity, 6 * kBatchBytes);
  const Error error = ErrorOf([&] { Loader third(dataset, LargeBatches()); });
  EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.what(),
              AllOf(HasSubstr("raise the memory of the Runtime"), HasSubstr(std::to_string(minimum))));
  training.Close();
  validation.Close();
  EXPECT_EQ(bucket.runtime().memory()->used(), 0u);
  Loader third(dataset, LargeBatches());
  EXPECT_TRUE(third.Next());
}

}  // namespace
}  // namespace bucketline
