#include "bucketline/loader/loader.h"

#include <atomic>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Loader, WithoutShufflingRowsAreTheRecordsInOrder) {
  ImageBucket bucket(10);
  const Dataset dataset = bucket.Open();
  Loader loader(dataset, SmallOptions());
  EXPECT_EQ(loader.steps(), 3u);
  const std::vector<Given> batches = RestOfEpoch(loader);
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_THAT(batches[0].indices, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(batches[2].indices, ElementsAre(8, 9));
  EXPECT_THAT(batches[2].valid, Each(1));
  EXPECT_EQ(batches[1].position, 4u);
  EXPECT_EQ(batches[2].state.position, 10u);
}

TEST(Loader, OrderAndPixelsAreThoseOfPermutationShardAndDecoder) {
  ImageBucket bucket(23);
  const Dataset dataset = bucket.Open();
  for (const uint64_t rank : {0, 1, 2}) {
    LoaderOptions options = SmallOptions();
    options.shuffle = true;
    options.seed = 99;
    options.world_size = 3;
    options.rank = rank;
    options.last = LastPolicy::kPartial;
    Loader loader(dataset, options);
    const std::vector<Given> batches = Epochs(loader, 2);
    const Shard shard{
        .n = 23, .start = 0, .batch = 4, .world = 3, .rank = rank, .last = LastPolicy::kPartial};
    ASSERT_EQ(batches.size(), 2 * shard.Steps());
    for (size_t i = 0; i < batches.size(); ++i) {
      const uint64_t epoch = i / shard.Steps();
      const StepSlice slice = shard.At(i % shard.Steps());
      const Permutation order(23, 99, epoch);
      ASSERT_EQ(batches[i].indices.size(), slice.valid + slice.padded);
      EXPECT_EQ(batches[i].epoch, epoch);
      for (uint32_t row = 0; row < slice.valid + slice.padded; ++row) {
        const uint64_t position = (slice.first + row) % 23;
        EXPECT_EQ(batches[i].indices[row], order.At(position));
        EXPECT_EQ(batches[i].valid[row], row < slice.valid ? 1 : 0);
        EXPECT_EQ(RowOf(batches[i], row),
                  ExpectedRow(dataset, order.At(position), options.image, CounterRng(99, epoch, position)));
      }
    }
  }
}

TEST(Loader, BytesDependOnNothingButTheData) {
  ImageBucket bucket(30);
  LoaderOptions options = SmallOptions();
  options.shuffle = true;
  options.memory = uint64_t{2} << 30;
  Loader plain(bucket.Open(), options);
  const std::vector<Given> expected = Epochs(plain, 2);
  ASSERT_EQ(expected.size(), 14u);
  struct Variant {
    size_t threads;
    uint64_t memory;
    size_t requests;
    bool late;
  };
  for (const Variant& variant : {Variant{1, uint64_t{2} << 30, 64, false},
                                 Variant{8, uint64_t{2} << 30, 1, true}, Variant{8, 1500000, 64, true},
                                 Variant{1, 1500000, 1, false}, Variant{3, uint64_t{4} << 20, 7, true}}) {
    std::shared_ptr<ObjectStore> store = bucket.store();
    if (variant.late) store = Uneven(store, 3000);
    options.threads = variant.threads;
    options.memory = variant.memory;
    options.max_requests = variant.requests;
    Loader loader(bucket.OpenThrough(store), options);
    EXPECT_EQ(Epochs(loader, 2), expected)
        << variant.threads << " " << variant.memory << " " << variant.requests;
    EXPECT_LE(loader.Stats().budget_peak, variant.memory);
  }
}

TEST(Loader, EpochsEndWithOneNullopt) {
  ImageBucket bucket(5);
  Loader loader(bucket.Open(), SmallOptions());
  EXPECT_EQ(loader.epoch(), 0u);
  EXPECT_EQ(loader.remaining(), 2u);
  ASSERT_TRUE(loader.Next());
  EXPECT_EQ(loader.remaining(), 1u);
  ASSERT_TRUE(loader.Next());
  EXPECT_EQ(loader.epoch(), 0u);
  EXPECT_FALSE(loader.Next());
  EXPECT_EQ(loader.epoch(), 1u);
  EXPECT_EQ(loader.remaining(), 2u);
  const std::optional<Batch> next = loader.Next();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->epoch(), 1u);
}

TEST(Loader, ShufflingDropsTheTailUnlessToldOtherwise) {
  ImageBucket bucket(10);
  LoaderOptions options = SmallOptions();
  options.shuffle = true;
  EXPECT_EQ(Loader(bucket.Open(), options).steps(), 2u);
  options.last = LastPolicy::kPad;
  Loader padded(bucket.Open(), options);
  const std::vector<Given> batches = RestOfEpoch(padded);
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_THAT(batches[2].valid, ElementsAre(1, 1, 0, 0));
  EXPECT_EQ(batches[2].indices[2], batches[0].indices[0]);
  EXPECT_EQ(padded.Stats().images, 10u);
}

TEST(Loader, LabelsFollowTheirRecords) {
  ImageBucket bucket(10);
  const Dataset dataset = bucket.Open("mem://data/", {.labels = Labels::Folder()});
  Loader loader(dataset, SmallOptions(10));
  const std::optional<Batch> batch = loader.Next();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->label_kind(), LabelKind::kClass);
  ASSERT_EQ(batch->integer_labels().size(), 10u);
  EXPECT_TRUE(batch->float_labels().empty());
  for (uint32_t row = 0; row < 10; ++row) {
    const std::string& name = dataset.classes()[static_cast<size_t>(batch->integer_labels()[row])];
    EXPECT_TRUE(batch->Key(row).starts_with(name + "/"));
    EXPECT_EQ(batch->Key(row), dataset.Key(row));
  }
}

TEST(Loader, LabelsOfNumbersAndVectors) {
  ImageBucket bucket(0);
  bucket.PutImage("a.jpg", 1);
  bucket.PutImage("b.jpg", 2);
  bucket.Put("int.csv", "file,label\na.jpg,7\nb.jpg,-3\n");
  bucket.Put("float.csv", "file,label\na.jpg,0.5\nb.jpg,1.5\n");
  bucket.Put("vector.json", R"({"a.jpg": [1, 2.5], "b.jpg": [3, 4]})");
  const auto first = [&](const char* table) {
    Loader loader(bucket.Open("mem://data/", {.labels = Labels::Table(table)}), SmallOptions());
    return *loader.Next();
  };
  EXPECT_THAT(first("mem://data/int.csv").integer_labels(), ElementsAre(7, -3));
  EXPECT_THAT(first("mem://data/float.csv").float_labels(), ElementsAre(0.5f, 1.5f));
  const Batch vectors = first("mem://data/vector.json");
  EXPECT_EQ(vectors.label_kind(), LabelKind::kVector);
  EXPECT_EQ(vectors.label_width(), 2u);
  EXPECT_THAT(vectors.float_labels(), ElementsAre(1.0f, 2.5f, 3.0f, 4.0f));
  Loader none(bucket.Open(), SmallOptions());
  const std::optional<Batch> unlabelled = none.Next();
  EXPECT_EQ(unlabelled->label_kind(), LabelKind::kNone);
  EXPECT_TRUE(unlabelled->integer_labels().empty());
}

TEST(Loader, RawBatchesHoldTheRecords) {
  Bucket bucket;
  for (int i = 0; i < 7; ++i)
    bucket.Put("k" + std::to_string(i), std::string(static_cast<size_t>(i) * 100, 'x'));
  const Dataset dataset = bucket.Open("mem://data/", {.extensions = {}});
  LoaderOptions options = SmallOptions(3);
  options.decode = false;
  options.memory = 600 + 2 * 1500;  // the largest record, and twice the three largest
  Loader loader(dataset, options);
  uint64_t record = 0;
  std::vector<Batch> kept;
  while (std::optional<Batch> batch = loader.Next()) {
    EXPECT_EQ(batch->pixels(), nullptr);
    EXPECT_EQ(batch->pixel_bytes(), 0u);
    for (uint32_t row = 0; row < batch->rows(); ++row) EXPECT_EQ(batch->raw(row).size(), 100 * record++);
    kept.push_back(*batch);
  }
  EXPECT_EQ(record, 7u);
  EXPECT_EQ(loader.Stats().lent_bytes, 2100u);
  EXPECT_LE(loader.Stats().budget_peak, options.memory);
  loader.Close();
  EXPECT_EQ(kept[1].raw(2).ToString(), std::string(500, 'x'));
  options.memory -= 1;
  EXPECT_EQ(ErrorOf([&] { Loader refused(dataset, options); }).code(), ErrorCode::kResourceExhausted);
}

TEST(Loader, TheAllocatorGivesTheMemory) {
  ImageBucket bucket(8);
  LoaderOptions options = SmallOptions();
  std::mutex mutex;
  std::set<void*> given;
  std::atomic<int> freed = 0;
  options.allocator = [&](size_t bytes) {
    std::shared_ptr<void> memory(std::aligned_alloc(64, bytes), [&](void* data) {
      ++freed;
      std::free(data);
    });
    std::lock_guard lock(mutex);
    given.insert(memory.get());
    return memory;
  };
  int count = 0;
  {
    Loader loader(bucket.Open(), options);
    const std::optional<Batch> batch = loader.Next();
    ASSERT_TRUE(batch);
    std::lock_guard lock(mutex);
    EXPECT_TRUE(given.contains(batch->pixels()));
    EXPECT_EQ(batch->owner().get(), batch->pixels());
  }
  count = freed;
  EXPECT_GE(count, 1);
}

TEST(Loader, AnAllocatorThatFailsIsRaisedInOrder) {
  ImageBucket bucket(8);
  LoaderOptions options = SmallOptions();
  std::atomic<int> calls = 0;
  options.allocator = [&](size_t bytes) -> std::shared_ptr<void> {
    if (calls++ > 0) return nullptr;
    return {std::aligned_alloc(64, bytes), [](void* data) { std::free(data); }};
  };
  Loader loader(bucket.Open(), options);
  ASSERT_TRUE(loader.Next());
  EXPECT_THAT(ErrorOf([&] { loader.Next(); }).what(), HasSubstr("allocator"));
}

TEST(Loader, PixelsAreAligned) {
  ImageBucket bucket(6);
  Loader loader(bucket.Open(), SmallOptions(3));
  while (std::optional<Batch> batch = loader.Next()) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(batch->pixels()) % 64, 0u);
    EXPECT_EQ(batch->pixel_bytes(), batch->rows() * batch->spec().RowBytes());
    EXPECT_EQ(batch->spec(), SmallSpec());
  }
}

TEST(Loader, OptionsAreChecked) {
  ImageBucket bucket(4);
  const Dataset dataset = bucket.Open();
  const auto refused = [&](auto change) {
    LoaderOptions options = SmallOptions();
    change(options);
    const Error error = ErrorOf([&] { Loader loader(dataset, options); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return std::string(error.what());
  };
  EXPECT_THAT(refused([](LoaderOptions& o) { o.batch_size = 0; }), HasSubstr("batch_size"));
  EXPECT_THAT(refused([](LoaderOptions& o) { o.max_requests = 0; }), HasSubstr("max_requests"));
  EXPECT_THAT(refused([](LoaderOptions& o) { o.threads = 5000; }), HasSubstr("threads"));
  EXPECT_THAT(refused([](LoaderOptions& o) { o.max_skipped = 1.5; }), HasSubstr("max_skipped"));
  EXPECT_THAT(refused([](LoaderOptions& o) { o.stall_warning = Duration(0); }), HasSubstr("stall_warning"));
  EXPECT_THAT(refused([](LoaderOptions& o) { o.rank = 1; }), HasSubstr("rank"));
  EXPECT_THAT(refused([](LoaderOptions& o) { o.image.height = -1; }), HasSubstr("height"));
  EXPECT_THAT(refused([](LoaderOptions& o) {
                o.batch_size = 5;
                o.last = LastPolicy::kDrop;
              }),
              AllOf(HasSubstr("4 records"), HasSubstr("last partial")));
}

// A late read is asked for again only where the store's limit has room: not by a loader that fills it up.
TEST(Loader, OneLoaderLeavesConnectionsForSecondReads) {
  EXPECT_LE(LoaderOptions{}.max_requests, RuntimeOptions{}.connections * 3 / 4);
}

TEST(Loader, AnEmptyDatasetIsAnError) {
  ImageBucket bucket(1);
  const Dataset none = bucket.Open().Filter([](std::string_view) { return false; });
  const Error error = ErrorOf([&] { Loader loader(none, SmallOptions()); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("empty"));
}

TEST(Loader, SeveralStoresFeedOneLoader) {
  ImageBucket bucket(6);
  const std::shared_ptr<ObjectStore> other = MakeMemoryStore("other");
  bucket.runtime().AddStore("other", other);
  for (uint64_t i = 0; i < 5; ++i)
    PutBytes(*other, ImageKey(i), EncodeJpeg(MakePicture(kWidth, kHeight, 3, 100 + i)));
  const Dataset dataset = Dataset::Concat({bucket.Open(), bucket.Open("mem://other/").Slice(1, 3)});
  LoaderOptions options = SmallOptions(3);
  Loader loader(dataset, options);
  while (const std::optional<Batch> batch = loader.Next()) {
    const Given given = Copy(*batch);
    for (uint32_t row = 0; row < batch->rows(); ++row) {
      const uint64_t record = given.indices[row];
      EXPECT_EQ(batch->Key(row), dataset.Key(record));
      EXPECT_EQ(RowOf(given, row),
                ExpectedRow(dataset, record, options.image, CounterRng(0, 0, given.position + row)))
          << dataset.UriAt(record);
    }
  }
  EXPECT_EQ(loader.epoch(), 1u);
}

}  // namespace
}  // namespace bucketline
