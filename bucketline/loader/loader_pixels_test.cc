// Pixels that are kept in a cache: the same batches at every state of it, without reads and decodes where it has them.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/cache/cache_report.h"
#include "bucketline/cache/caching_store.h"
#include "bucketline/loader/loader_setup.h"
#include "bucketline/loader/loader_testing.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/recording_store.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr uint64_t kRecords = 10;

// Without what names the store.
std::vector<Given> Plain(std::vector<Given> batches) {
  for (Given& batch : batches) batch.state.fingerprint = 0;
  return batches;
}

struct Case {
  std::string name;
  LoaderOptions options;
  bool pairs = false;

  friend void PrintTo(const Case& one, std::ostream* to) { *to << one.name; }
};

ImageSpec CenterSpec() {
  ImageSpec spec = SmallSpec();
  spec.crop = Crop::kCenter;
  return spec;
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  const auto add = [&cases](const std::string& name, auto change) {
    LoaderOptions options = SmallOptions(3);
    options.shuffle = true;
    options.last = LastPolicy::kPartial;  // every record
    options.image = CenterSpec();
    change(options);
    cases.push_back({.name = name, .options = options});
  };
  add("BytesNchw", [](LoaderOptions&) {});
  add("FloatsWithJitter", [](LoaderOptions& options) {
    options.image.type = PixelType::kFloat32;
    options.image.jitter = {.brightness = 0.4, .contrast = 0.4, .saturation = 0.4};
    options.image.mean = ImageSpec::kImagenetMean;
  });
  add("TensorflowFloats", [](LoaderOptions& options) {
    options.image.type = PixelType::kFloat16;
    options.image.family = ResizeFamily::kTensorflow;
    options.image.crop = Crop::kPad;
    options.image.layout = PixelLayout::kNhwc;
    options.image.jitter.contrast = 0.9;
  });
  add("OwnSizes", [](LoaderOptions& options) {
    options.image.height = options.image.width = 0;
    options.image.crop = Crop::kNone;
  });
  add("OwnSizesThatMaySkip", [](LoaderOptions& options) {
    options.image.height = options.image.width = 0;
    options.image.crop = Crop::kNone;
    options.on_error = OnError::kSkip;
  });
  add("Transformed", [](LoaderOptions& options) {
    options.image.type = PixelType::kFloat32;
    options.image.jitter.brightness = 0.4;
    options.transform = [](TransformSample& sample) {
      for (uint8_t& level : sample.fields[0].pixels) level = static_cast<uint8_t>(level ^ sample.position);
      return TransformResult::Keep();
    };
  });
  for (const bool raw : {false, true}) {
    Case pair{.name = raw ? "ImageAndBytes" : "ImageAndMask", .options = PairOptions(3), .pairs = true};
    pair.options.shuffle = true;
    pair.options.last = LastPolicy::kPartial;
    pair.options.fields[0].image = CenterSpec();
    if (raw) pair.options.fields[1] = {.part = "mask", .decode = false};
    cases.push_back(pair);
  }
  return cases;
}

class LoaderPixels : public ::testing::TestWithParam<Case> {
 protected:
  LoaderPixels() : images_(kRecords), pairs_(kRecords) {}

  Bucket& bucket() { return GetParam().pairs ? static_cast<Bucket&>(pairs_) : images_; }
  Dataset Through(const std::shared_ptr<ObjectStore>& store) {
    return GetParam().pairs ? pairs_.Join(store) : images_.OpenThrough(store);
  }
  // The dataset behind a cache that is as the last one left it.
  Dataset Cached(uint64_t limit = 64_MiB, bool pixels = true) {
    far_ = std::make_shared<RecordingStore>(bucket().store());
    cache_ = NodeCache::Open({.folder = Path(), .limit = limit, .log = LogToNowhere()});
    return Through(
        std::make_shared<CachingStore>(far_, cache_, cache_->Use("mem://data/"), "mem://data", pixels));
  }
  size_t Gets() const { return far_->CountOf(StoreOp::kGet); }
  std::vector<Given> Expected(int epochs) {
    Loader loader(Through(bucket().store()), GetParam().options);
    return Plain(Epochs(loader, epochs));
  }
  std::string Path() const { return folder_.Path("cache"); }
  std::vector<std::filesystem::path> Entries() const {
    std::vector<std::filesystem::path> found;
    for (const auto& file : std::filesystem::recursive_directory_iterator(Path())) {
      if (file.path().filename().string().size() == 16) found.push_back(file.path());
    }
    return found;
  }
  static void Damage(const std::filesystem::path& path, bool header) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(header ? 20 : static_cast<int>(std::filesystem::file_size(path)) - 1);
    const int was = file.peek();
    file.put(static_cast<char>(was + 1));
  }
  size_t decoded() const { return GetParam().name == "ImageAndMask" ? 2 : 1; }
  bool raw() const { return GetParam().name == "ImageAndBytes"; }

  TempFolder folder_;
  ImageBucket images_;
  PairBucket pairs_;
  std::shared_ptr<RecordingStore> far_;
  std::shared_ptr<NodeCache> cache_;
};

INSTANTIATE_TEST_SUITE_P(All, LoaderPixels, ::testing::ValuesIn(Cases()),
                         [](const auto& one) { return one.param.name; });

TEST_P(LoaderPixels, BatchesAreTheSameAndTheNextEpochsReadAndDecodeNothing) {
  const std::vector<Given> expected = Expected(3);
  LoaderOptions options = GetParam().options;
  options.epochs = 3;
  {
    const Dataset dataset = Cached();
    Loader loader(dataset, options);
    Epochs(loader, 1);  // reads ahead into the next ones
    EXPECT_GT(cache_->counters().pixel_misses.value(), 0u);
  }
  Loader loader(Cached(), options);  // reads nothing past the third epoch: its counts are final
  EXPECT_EQ(Plain(Epochs(loader, 3)), expected);
  const LoaderStats stats = loader.Stats();
  EXPECT_EQ(stats.pixels.misses, 0u);
  EXPECT_EQ(stats.pixels.hits, 30 * decoded());
  EXPECT_EQ(stats.pixels.hit_bytes % stats.pixels.hits, 0u);
  EXPECT_EQ(stats.pixels.miss_bytes, 0u);
  EXPECT_GT(stats.pixels.wall, Duration::zero());
  EXPECT_EQ(cache_->counters().pixel_hits.value(), stats.pixels.hits);
  if (raw()) {
    EXPECT_GT(stats.cache.hits, 0u);
  } else {
    EXPECT_EQ(Gets(), 0u);
    EXPECT_EQ(stats.fetch.count, 0u);
    EXPECT_EQ(stats.cache.hits + stats.cache.misses, 0u);
  }
  EXPECT_THAT(Entries(), SizeIs(kRecords * (decoded() + (raw() ? 1 : 0))))
      << "pixels instead of their objects";
}

TEST_P(LoaderPixels, DamagedOnesAreDecodedAnewAndCounted) {
  const std::vector<Given> expected = Expected(1);
  LoaderOptions options = GetParam().options;
  options.epochs = 1;
  {
    Loader loader(Cached(), options);
    Epochs(loader, 1);
  }
  size_t damaged = 0;
  for (const std::filesystem::path& entry : Entries()) Damage(entry, ++damaged % 3 == 0);
  {
    Loader loader(Cached(), options);
    EXPECT_EQ(Plain(Epochs(loader, 1)), expected);
  }
  EXPECT_GT(cache_->counters().damaged.value(), 0u);
  EXPECT_EQ(cache_->counters().damaged.value(), cache_->counters().stored.value()) << "one for one";
  EXPECT_EQ(cache_->counters().failed.value(), 0u);
  Loader loader(Cached(), GetParam().options);
  EXPECT_EQ(Plain(Epochs(loader, 1)), expected);
  EXPECT_EQ(VerifyCache(Path()).damaged, 0u);
}

TEST_P(LoaderPixels, ALittleMemoryIsEnoughWhateverTheCacheSays) {
  LoaderOptions options = GetParam().options;
  options.epochs = 2;
  const std::vector<Given> expected = Expected(2);
  const Dataset dataset = Cached();
  const std::vector<Field> fields = FieldsOf(dataset.part_names(), options);
  options.memory = MemoryForScratch(NeedsOf(dataset, fields, WithDefaults(options), true), 300 << 10);
  for (int turn = 0; turn < 4; ++turn) {
    Loader loader(Cached(), options);
    EXPECT_EQ(Plain(Epochs(loader, 2)), expected) << turn;
    EXPECT_LE(loader.Stats().budget_peak, options.memory);
    size_t number = 0;
    for (const std::filesystem::path& entry : Entries()) Damage(entry, ++number % 2 == 0);
  }
}

TEST_P(LoaderPixels, ACacheThatIsTooSmallKeepsWhatFits) {
  const std::vector<Given> expected = Expected(2);
  for (int turn = 0; turn < 2; ++turn) {
    Loader loader(Cached(1_MiB), GetParam().options);
    EXPECT_EQ(Plain(Epochs(loader, 2)), expected);
  }
}

class OnePixelLoader : public LoaderPixels {};
INSTANTIATE_TEST_SUITE_P(Bytes, OnePixelLoader, ::testing::Values(Cases().front()),
                         [](const auto& one) { return one.param.name; });

TEST_P(OnePixelLoader, RandomCropsAreAnErrorThatSaysWhatToDo) {
  LoaderOptions options = GetParam().options;
  options.image.crop = Crop::kRandomResized;
  const Error error = ErrorOf([&] { Loader(Cached(), options); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(std::string(error.what()), AllOf(HasSubstr("cache_pixels"), HasSubstr("random_resized"),
                                               HasSubstr("leave cache_pixels out"), HasSubstr("mem://")));
  Loader objects_alone(Cached(64_MiB, false), options);
  EXPECT_TRUE(objects_alone.Next());
}

TEST_P(OnePixelLoader, ACacheOfObjectsAloneIsCountedByItsLoader) {
  const Dataset dataset = Cached(64_MiB, false);
  LoaderOptions options = GetParam().options;
  options.epochs = 2;
  Loader loader(dataset, options);
  Epochs(loader, 2);
  const CacheUse use = loader.Stats().cache;
  EXPECT_EQ(use.hits + use.misses, 20u);
  EXPECT_GE(use.misses, 10u);
  EXPECT_GE(use.hits, 1u);
  EXPECT_EQ(use.hit_bytes + use.miss_bytes, loader.Stats().record_bytes);
  EXPECT_GT(use.wall, Duration::zero());
  EXPECT_EQ(loader.Stats().pixels.hits + loader.Stats().pixels.misses, 0u);
  Loader other(dataset, options);
  EXPECT_EQ(other.Stats().cache.hits, 0u) << "another loader's reads are its own";
}

TEST_P(OnePixelLoader, AnObjectThatChangedIsDecodedAnew) {
  {
    Loader loader(Cached(), GetParam().options);
    Epochs(loader, 1);
  }
  images_.PutImage(ImageKey(3), 77);
  const std::vector<Given> expected = Expected(1);
  LoaderOptions options = GetParam().options;
  options.epochs = 1;  // none is read ahead
  Loader loader(Cached(), options);
  EXPECT_EQ(Plain(Epochs(loader, 1)), expected);
  EXPECT_EQ(loader.Stats().pixels.misses, 1u);
  EXPECT_EQ(cache_->counters().damaged.value(), 0u);
  EXPECT_THAT(Entries(), SizeIs(kRecords));
}

TEST_P(OnePixelLoader, AnotherSpecHasItsOwnPixels) {
  {
    Loader loader(Cached(), GetParam().options);
    Epochs(loader, 1);
  }
  LoaderOptions larger = GetParam().options;
  larger.epochs = 1;  // none is read ahead
  larger.image.height = 17;
  larger.image.short_side = 20;
  Loader first(Cached(), larger);
  Epochs(first, 1);
  EXPECT_EQ(first.Stats().pixels.hits, 0u);
  LoaderOptions evaluated = GetParam().options;
  evaluated.image.flip = 0;
  evaluated.image.type = PixelType::kFloat32;
  evaluated.image.layout = PixelLayout::kNhwc;
  Loader second(Cached(), evaluated);
  Epochs(second, 1);
  EXPECT_EQ(second.Stats().pixels.misses, 0u) << "what comes after is no part of them";
}

TEST_P(OnePixelLoader, BadImagesAreSkippedAsEver) {
  images_.PutCorrupt(ImageKey(4));
  LoaderOptions options = GetParam().options;
  options.on_error = OnError::kSkip;
  options.max_skipped = 1;
  Loader direct(Through(bucket().store()), options);
  const std::vector<Given> expected = Plain(Epochs(direct, 2));
  for (int turn = 0; turn < 2; ++turn) {
    Loader loader(Cached(), options);
    EXPECT_EQ(Plain(Epochs(loader, 2)), expected);
    EXPECT_EQ(loader.Stats().skipped, direct.Stats().skipped);
  }
}

TEST_P(OnePixelLoader, ADatasetIsServedWithoutItsBucket) {
  {
    Loader loader(Cached(), GetParam().options);
    Epochs(loader, 1);
  }
  const std::vector<Given> expected = Expected(2);
  const Dataset dataset = Cached();
  for (uint64_t i = 0; i < kRecords; ++i) DeleteObject(*images_.store(), ImageKey(i));
  Loader loader(dataset, GetParam().options);
  EXPECT_EQ(Plain(Epochs(loader, 2)), expected);
}

TEST_P(OnePixelLoader, ClosingInTheMiddleOfHitsEndsSoon) {
  LoaderOptions options = GetParam().options;
  {
    Loader loader(Cached(), options);
    Epochs(loader, 1);
  }
  for (int stop = 0; stop < RandomStops(); ++stop) {
    Loader loader(Cached(), options);
    for (int i = 0; i < stop % 5; ++i) loader.Next();
    loader.Close();
    EXPECT_EQ(ErrorOf([&] { loader.Next(); }).code(), ErrorCode::kCancelled);
  }
}

}  // namespace
}  // namespace bucketline
