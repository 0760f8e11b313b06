// Records of several parts: every field of a row comes from the same record, and from the same box of it.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"
#include "bucketline/loader/skip_policy.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/recording_store.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;

std::vector<uint8_t> RowOf(const BatchField& field, uint32_t row) {
  const size_t bytes = field.spec().RowBytes();
  return {field.pixels() + row * bytes, field.pixels() + (row + 1) * bytes};
}

// What a decode of the object makes of it at this position.
std::vector<uint8_t> Decoded(Bucket& bucket, const std::string& key, const ImageSpec& spec,
                             uint64_t position) {
  std::vector<uint8_t> row(spec.RowBytes());
  GetRequest request;
  request.key = key;
  const Bytes data = GetBytes(*bucket.store(), request, 1 << 20);
  ImageDecoder().DecodeInto(data.span(), spec, CounterRng(0, 0, position), row);
  return row;
}

std::vector<uint8_t> DecodedMask(Bucket& bucket, uint64_t record, uint64_t position) {
  return Decoded(bucket, PairBucket::MaskOf(record), MaskSpec().WithGeometryOf(SmallSpec()), position);
}

TEST(LoaderFields, EachHasItsOwnTensorOfTheSameBox) {
  PairBucket bucket(10);
  LoaderOptions options = PairOptions();
  options.shuffle = true;
  Loader loader(bucket.Join(), options);
  const Permutation order(10, 0, 0);
  uint64_t position = 0;
  while (const std::optional<Batch> batch = loader.Next()) {
    ASSERT_EQ(batch->field_count(), 2u);
    const BatchField image = batch->field("image");
    const BatchField mask = batch->field("mask");
    EXPECT_EQ(batch->pixels(), image.pixels());
    EXPECT_EQ(batch->field(1).name(), "mask");
    EXPECT_EQ(reinterpret_cast<uintptr_t>(mask.pixels()) % 64, 0u);
    EXPECT_EQ(mask.pixel_bytes(), size_t{16} * 16 * batch->rows());
    EXPECT_EQ(mask.spec().channels, 1);
    for (uint32_t row = 0; row < batch->rows(); ++row, ++position) {
      const uint64_t record = batch->indices()[row];
      EXPECT_EQ(record, order.At(position));
      EXPECT_EQ(RowOf(image, row), Decoded(bucket, PairBucket::ImageOf(record), SmallSpec(), position));
      EXPECT_EQ(RowOf(mask, row), DecodedMask(bucket, record, position));
    }
    EXPECT_EQ(std::vector(mask.geometry().begin(), mask.geometry().end()),
              std::vector(image.geometry().begin(), image.geometry().end()));
    EXPECT_EQ(std::vector(mask.source_sizes().begin(), mask.source_sizes().end()),
              std::vector(image.source_sizes().begin(), image.source_sizes().end()));
    for (size_t i = 0; i < mask.pixel_bytes(); ++i) ASSERT_LT(mask.pixels()[i], PairBucket::kClasses);
  }
  EXPECT_EQ(position, 8u);
}

TEST(LoaderFields, AFieldKeepsTheMemoryOfItsBatch) {
  PairBucket bucket(4);
  std::optional<BatchField> mask;
  std::vector<uint8_t> before;
  {
    Loader loader(bucket.Join(), PairOptions());
    mask = loader.Next()->field("mask");
    before = RowOf(*mask, 3);
  }
  EXPECT_EQ(RowOf(*mask, 3), before);
}

TEST(LoaderFields, AFieldThatIsNotThereIsAnErrorNamingThoseThatAre) {
  PairBucket bucket(4);
  Loader loader(bucket.Join(), PairOptions());
  const Batch batch = *loader.Next();
  EXPECT_THAT(ErrorOf([&] { batch.field("depth"); }).what(),
              AllOf(HasSubstr("\"depth\""), HasSubstr("\"image\", \"mask\"")));
}

TEST(LoaderFields, BytesStandBesidePixels) {
  PairBucket bucket(10);
  LoaderOptions options = PairOptions();
  options.fields = {{.part = "mask", .decode = false}, {.part = "image", .image = SmallSpec()}};
  const Dataset dataset = bucket.Join();
  Loader loader(dataset, options);
  std::vector<Batch> kept;
  while (const std::optional<Batch> batch = loader.Next()) kept.push_back(*batch);
  loader.Close();
  ASSERT_EQ(kept.size(), 3u);
  uint64_t held = 0;
  for (const Batch& batch : kept) {
    for (uint32_t row = 0; row < batch.rows(); ++row) {
      GetRequest request;
      request.key = PairBucket::MaskOf(batch.indices()[row]);
      EXPECT_EQ(batch.field("mask").raw(row).ToString(),
                GetBytes(*bucket.store(), request, 1 << 20).ToString());
      EXPECT_TRUE(batch.field("mask").geometry().empty());
      held += dataset.RecordBytes(batch.indices()[row]);
    }
    EXPECT_EQ(batch.field("mask").pixels(), nullptr);
    EXPECT_EQ(RowOf(batch.field("image"), 0),
              Decoded(bucket, PairBucket::ImageOf(batch.indices()[0]), SmallSpec(), batch.indices()[0]));
    held += 4 * SmallSpec().RowBytes();
  }
  EXPECT_EQ(loader.Stats().lent_bytes, held);
  EXPECT_LE(loader.Stats().budget_peak, options.memory);
}

TEST(LoaderFields, AllRaw) {
  PairBucket bucket(10);
  LoaderOptions options = PairOptions();
  options.fields = {{.part = "image", .decode = false}, {.part = "mask", .decode = false}};
  const Dataset dataset = bucket.Join();
  Loader loader(dataset, options);
  const Batch batch = *loader.Next();
  for (uint32_t row = 0; row < 4; ++row) {
    EXPECT_EQ(batch.field("image").raw(row).size() + batch.field("mask").raw(row).size(),
              dataset.RecordBytes(row));
  }
  EXPECT_EQ(loader.Stats().decode_threads, 0u);
}

TEST(LoaderFields, OnlyWhatFieldsNameIsRead) {
  PairBucket bucket(4);
  auto recording = std::make_shared<RecordingStore>(bucket.store());
  LoaderOptions options = PairOptions();
  options.epochs = 1;
  options.fields.erase(options.fields.begin());
  options.fields.front().same_geometry_as = {};
  options.fields.front().image.height = options.fields.front().image.width = 8;
  Loader loader(bucket.Join(recording), options);
  EXPECT_EQ(RestOfEpoch(loader).size(), 1u);
  EXPECT_EQ(recording->CountOf(StoreOp::kGet), 4u);
}

TEST(LoaderFields, WithoutFieldsItIsTheFirstPart) {
  PairBucket bucket(4);
  Loader loader(bucket.Join(), SmallOptions());
  const Batch batch = *loader.Next();
  EXPECT_EQ(batch.field_count(), 1u);
  EXPECT_EQ(batch.field(0).name(), "");
  EXPECT_EQ(RowOf(batch.field(0), 2), Decoded(bucket, PairBucket::ImageOf(2), SmallSpec(), 2));
}

// Everything that timing, threads, memory and errors may not change, for fields of known and of unknown sizes,
// beside bytes, and with a transform.
class LoaderFieldsSame : public ::testing::TestWithParam<int> {
 protected:
  LoaderFieldsSame() : bucket_(30) {
    options_.shuffle = true;
    options_.seed = 3;
  }

  PairBucket bucket_;
  LoaderOptions options_ = PairVariant(GetParam());
};

INSTANTIATE_TEST_SUITE_P(All, LoaderFieldsSame, ::testing::Range(0, 4));

TEST_P(LoaderFieldsSame, WhateverTheTiming) {
  Loader plain(bucket_.Join(), options_);
  const std::vector<Given> expected = Epochs(plain, 2);
  ASSERT_EQ(expected.size(), 14u);
  struct Variant {
    OnError on_error;
    size_t threads;
    uint64_t memory;
    size_t requests;
  };
  for (const Variant& variant :
       {Variant{OnError::kRaise, 1, uint64_t{2} << 30, 7}, Variant{OnError::kRaise, 8, 1800000, 1},
        Variant{OnError::kSkip, 8, 1800000, 7}, Variant{OnError::kMask, 3, uint64_t{4} << 20, 64}}) {
    options_.on_error = variant.on_error;
    options_.threads = variant.threads;
    options_.memory = variant.memory;
    options_.max_requests = variant.requests;
    Loader loader(bucket_.Join(Uneven(bucket_.store(), 3000)), options_);
    EXPECT_EQ(Epochs(loader, 2), expected) << variant.threads << " " << variant.memory;
    EXPECT_LE(loader.Stats().budget_peak, variant.memory);
  }
}

TEST_P(LoaderFieldsSame, ResumedAnywhere) {
  const Dataset dataset = bucket_.Join();
  Loader whole(dataset, options_);
  const std::vector<Given> expected = RestOfEpoch(whole);
  Loader resumed(dataset, options_);
  for (size_t i = 0; i < expected.size(); ++i) {
    resumed.Restore(expected[i].state);
    EXPECT_EQ(RestOfEpoch(resumed),
              std::vector<Given>(expected.begin() + static_cast<ptrdiff_t>(i) + 1, expected.end()));
  }
}

TEST_P(LoaderFieldsSame, WhateverIsSkipped) {
  for (const uint64_t bad : {3, 4, 17}) bucket_.Put(PairBucket::MaskOf(bad), "<html>no mask</html>");
  bucket_.PutMask(9, kWidth, kHeight + 1);
  const bool raw_masks = GetParam() == 2;
  options_.on_error = OnError::kSkip;
  options_.max_skipped = 1;
  Loader plain(bucket_.Join(), options_);
  const std::vector<Given> expected = Epochs(plain, 2);
  EXPECT_EQ(plain.Stats().skipped > 0, !raw_masks);
  for (const size_t threads : {1, 4}) {
    for (const uint64_t memory : {uint64_t{1800000}, uint64_t{1} << 30}) {
      options_.threads = threads;
      options_.memory = memory;
      Loader loader(bucket_.Join(Uneven(bucket_.store(), 3000)), options_);
      EXPECT_EQ(Epochs(loader, 2), expected);
      EXPECT_LE(loader.Stats().budget_peak, memory);
    }
  }
}

// Two rows that each wait for bytes that the other holds would be the end.
TEST(LoaderFields, TheLeastMemoryIsEnoughAndOneByteLessIsRefused) {
  PairBucket bucket(0);
  for (uint64_t i = 0; i < 24; ++i) bucket.PutPair(i, 150, 150);
  for (const uint64_t bad : {1, 2, 5, 6, 7}) bucket.PutMask(bad, 149, 150);
  const Dataset dataset = bucket.Join();
  for (const OnError on_error : {OnError::kSkip, OnError::kMask}) {
    LoaderOptions options = PairOptions(8);
    options.on_error = on_error;
    options.max_skipped = 1;
    options.fields[0].image.height = options.fields[0].image.width = 160;
    Loader plenty(dataset, options);
    const std::vector<Given> expected = RestOfEpoch(plenty);
    const uint64_t batch = uint64_t{8} * 160 * 160 * 4;
    options.memory = (on_error == OnError::kSkip ? 2 : 1) * dataset.largest_record() + 2 * batch;
    Loader loader(bucket.Join(Uneven(bucket.store(), 3000)), options);
    EXPECT_EQ(RestOfEpoch(loader), expected);
    EXPECT_LE(loader.Stats().budget_peak, options.memory);
    options.memory -= 1;
    EXPECT_EQ(ErrorOf([&] { Loader refused(dataset, options); }).code(), ErrorCode::kResourceExhausted);
  }
}

TEST(LoaderFields, ImagesOfTwoSizesAreABadSample) {
  PairBucket bucket(8);
  bucket.PutMask(2, kWidth, kHeight - 1);
  LoaderOptions options = PairOptions();
  Loader raising(bucket.Join(), options);
  const Error error = ErrorOf([&] { raising.Next(); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_EQ(error.uri(), "mem://data/" + PairBucket::MaskOf(2));
  EXPECT_THAT(error.what(), AllOf(HasSubstr("29 x 40"), HasSubstr("30 x 40"), HasSubstr("\"image\"")));
  options.on_error = OnError::kMask;
  options.max_skipped = 1;
  std::optional<BadSample> reported;
  options.on_bad_sample = [&](const BadSample& bad) { reported = bad; };
  options.epochs = 1;
  Loader masking(bucket.Join(), options);
  const Batch batch = *masking.Next();
  EXPECT_EQ(batch.valid()[2], 0);
  EXPECT_THAT(RowOf(batch.field("image"), 2), Each(0));
  EXPECT_THAT(RowOf(batch.field("mask"), 2), Each(0));
  EXPECT_THAT(batch.field("mask").geometry().subspan(12, 6), Each(0));
  ASSERT_TRUE(reported);
  EXPECT_EQ(reported->uri, "mem://data/" + PairBucket::MaskOf(2));
  EXPECT_THAT(reported->reason, HasSubstr("\"mask\": it has 29 x 40"));
}

TEST(LoaderFields, OneBadPartMasksTheWholeRow) {
  PairBucket bucket(4);
  bucket.Put(PairBucket::MaskOf(1), "no png");
  LoaderOptions options = PairOptions();
  options.on_error = OnError::kMask;
  options.max_skipped = 1;
  Loader loader(bucket.Join(), options);
  const Batch batch = *loader.Next();
  EXPECT_THAT(RowOf(batch.field("image"), 1), Each(0));
  EXPECT_THAT(batch.field("image").source_sizes().subspan(2, 2), Each(0));
  EXPECT_EQ(RowOf(batch.field("mask"), 2), DecodedMask(bucket, 2, 2));
}

TEST(LoaderFields, ErrorsOfTheStoreNameThePartAndAreNeverSkipped) {
  PairBucket bucket(8);
  // Of both parts: the first field's is raised, whichever comes first.
  const auto script = [](const StoreCall& call, uint64_t) {
    const bool fails = call.key == PairBucket::MaskOf(5) || call.key == PairBucket::ImageOf(5);
    return fails ? Fault::FailBefore(Error(ErrorCode::kConnection, "injected")) : Fault::None();
  };
  for (const OnError on_error : {OnError::kRaise, OnError::kSkip, OnError::kMask}) {
    LoaderOptions options = PairOptions();
    options.on_error = on_error;
    Loader loader(bucket.Join(Uneven(std::make_shared<FaultStore>(bucket.store(), script), 3000)), options);
    ASSERT_TRUE(loader.Next());
    const Error error = ErrorOf([&] { loader.Next(); });
    EXPECT_EQ(error.code(), ErrorCode::kConnection);
    EXPECT_THAT(error.uri(), HasSubstr(PairBucket::ImageOf(5)));
  }
}

TEST(LoaderFields, ATransformSeesAllAndMayReplaceAll) {
  PairBucket bucket(8);
  LoaderOptions options = PairOptions();
  options.transform = [](TransformSample& sample) {
    EXPECT_EQ(sample.fields.size(), 2u);
    EXPECT_EQ(sample.fields[0].name, "image");
    EXPECT_EQ(sample.fields[1].name, "mask");
    EXPECT_EQ(sample.fields[1].channels, 1);
    EXPECT_EQ(sample.fields[0].pixels.size(), 3 * sample.fields[1].pixels.size());
    return TransformResult::Value(std::make_shared<std::vector<uint8_t>>(sample.fields[1].pixels.begin(),
                                                                         sample.fields[1].pixels.end()));
  };
  Loader loader(bucket.Join(), options);
  const Batch batch = *loader.Next();
  EXPECT_EQ(batch.field("mask").pixels(), nullptr);
  EXPECT_EQ(*static_cast<const std::vector<uint8_t>*>(batch.value(2).get()), DecodedMask(bucket, 2, 2));
}

TEST(LoaderFields, AreChecked) {
  PairBucket bucket(4);
  const Dataset dataset = bucket.Join();
  const auto refused = [&](auto change) {
    LoaderOptions options = PairOptions();
    change(options.fields);
    const Error error = ErrorOf([&] { Loader loader(dataset, options); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return std::string(error.what());
  };
  EXPECT_THAT(refused([](auto& f) { f[0].part = "depth"; }),
              AllOf(HasSubstr("\"depth\" is no part"), HasSubstr("\"image\", \"mask\"")));
  EXPECT_THAT(refused([](auto& f) { f[1].part = "image"; }), HasSubstr("\"image\" is there twice"));
  EXPECT_THAT(refused([](auto& f) { f[1].same_geometry_as = "depth"; }),
              HasSubstr("\"depth\", which is no field"));
  EXPECT_THAT(refused([](auto& f) { f[1].same_geometry_as = "mask"; }), HasSubstr("none of its own"));
  EXPECT_THAT(refused([](auto& f) { f[0].decode = false; }), HasSubstr("raw bytes"));
  EXPECT_THAT(refused([](auto& f) { f[1].image.crop = Crop::kCenter; }), HasSubstr("leave size, crop"));
  EXPECT_THAT(refused([](auto& f) { f[1].image.channels = 2; }),
              AllOf(HasSubstr("\"mask\""), HasSubstr("channels")));
  EXPECT_THAT(refused([](auto& f) {
                f[0] = {.part = "image"};
                f[1] = {.part = "mask", .decode = false};
              }),
              AllOf(HasSubstr("\"image\""), HasSubstr("height and width")));
  LoaderOptions same = PairOptions();
  same.fields[1].image = same.fields[1].image.WithGeometryOf(same.fields[0].image);
  Loader loader(dataset, same);  // said twice, and the same
  EXPECT_TRUE(loader.Next());
}

}  // namespace
}  // namespace bucketline
