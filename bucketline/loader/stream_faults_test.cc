// What a StreamLoader says of streams that are wrong, and of samples that are.
#include <chrono>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/stream_testing.h"

namespace bucketline {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using testing::ErrorOf;
using testing::Framed;
using testing::Given;
using ::testing::HasSubstr;
using testing::Images;
using testing::JpegText;
using testing::LabelledImages;
using ::testing::Not;
using testing::Numbers;
using testing::PipeWriter;
using testing::RestOfEpoch;
using ::testing::SizeIs;
using testing::SmallOptions;
using testing::StreamJob;

constexpr std::chrono::seconds kLong{120};

// Three images, one that is none, three more.
std::string WithABadOne() {
  return Images(3) + Framed("<html>no image, of more than a few bytes</html>") + Images(3, 3);
}

// What Next throws, twice, of a stream of these bytes, after as many batches as `good` says.
Error Failure(const std::string& bytes, const StreamOptions& stream, size_t good = 0,
              LoaderOptions options = SmallOptions()) {
  StreamJob job;
  const PipeWriter writer(job.place(), {bytes});
  StreamLoader loader = job.Load(std::move(options), stream);
  for (size_t i = 0; i < good; ++i) EXPECT_TRUE(loader.Next());
  const Error error = ErrorOf([&] { loader.Next(); });
  const Error again = ErrorOf([&] { loader.Next(); });
  EXPECT_STREQ(error.what(), again.what());
  EXPECT_EQ(loader.epoch(), 0u);
  return error;
}

TEST(StreamFaults, AStreamThatEndsWithinARecordGivesWhatWasWholeAndThenItsError) {
  std::string bytes = Images(6);
  bytes.resize(bytes.size() - 5);
  const Error error = Failure(bytes, {}, 1);
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.what(), HasSubstr("ends in the middle of record 5"));
  EXPECT_THAT(error.uri(), HasSubstr("train_0"));
}

TEST(StreamFaults, ObjectsWithoutAWrapperSayHowToAskForOne) {
  EXPECT_THAT(Failure(JpegText(0) + JpegText(1), {}).what(), HasSubstr("RecordWrapperType=RecordIO"));
}

TEST(StreamFaults, AttributesThatDoNotPairUp) {
  const Error error = Failure(LabelledImages(5) + Framed(JpegText(9)), {.labels = true}, 1);
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.what(), HasSubstr("ends after 1 of the 2 records of sample 5"));
  EXPECT_THAT(error.what(), HasSubstr("AttributeNames"));
}

TEST(StreamFaults, AnImageWhereALabelShouldBe) {
  EXPECT_THAT(Failure(Images(4), {.labels = true}).what(), HasSubstr("should be its label, and is an image"));
  const std::string large(100'000, '1');
  EXPECT_THAT(Failure(Framed(JpegText(0)) + Framed(large), {.labels = true}).what(), HasSubstr("KiB long"));
}

TEST(StreamFaults, ALabelWhereAnImageShouldBe) {
  const Error error = Failure(LabelledImages(4), {});
  EXPECT_THAT(error.what(), HasSubstr("looks like a label: open the channel with labels"));
  EXPECT_THAT(error.uri(), HasSubstr("train_0#1"));
}

TEST(StreamFaults, ALabelThatIsNone) {
  const Error error = Failure(Framed(JpegText(0)) + Framed("cat"), {.labels = true});
  EXPECT_THAT(error.what(), HasSubstr("\"cat\" is no number"));
  EXPECT_THAT(error.uri(), HasSubstr("train_0#0"));
}

TEST(StreamFaults, ASampleThatTheMemoryHasNoRoomFor) {
  LoaderOptions options = SmallOptions();
  options.memory = uint64_t{2} << 20;
  const Error error = Failure(Images(4) + Framed(std::string(3 << 20, 'x')), {}, 1, options);
  EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.what(), HasSubstr("sample 4 needs 3.0 MiB more"));
}

TEST(StreamFaults, ABatchOfBytesThatTheMemoryHasNoRoomFor) {
  LoaderOptions options = SmallOptions(8);
  options.memory = uint64_t{4} << 20;
  options.decode = false;
  const std::string record = Framed(std::string(600'000, 'x'));
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += record;
  EXPECT_THAT(
      Failure(bytes, {}, 0, options).what(),
      HasSubstr(
          "sample 6 needs 585.9 KiB more, and the loader's memory for samples, 4.0 MiB, holds 3.4 MiB"));
}

TEST(StreamFaults, ImagesOfWhichABatchIsLargerThanTheMemory) {
  LoaderOptions options = SmallOptions(64);
  options.image = {};
  options.memory = uint64_t{4} << 20;
  const Error error = Failure(Framed(JpegText(0, 400, 300)), {}, 0, options);
  EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.what(), HasSubstr("a batch of 64 images of this size (300 x 400)"));
}

TEST(StreamFaults, ARecordThatIsNoImageIsRaised) {
  const Error error = Failure(WithABadOne(), {});
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.what(), HasSubstr("on_error skip or mask goes on without it"));
  EXPECT_THAT(error.uri(), HasSubstr("train_0#3"));
}

TEST(StreamFaults, ASkippedSampleLeavesItsBatch) {
  StreamJob job;
  const PipeWriter writer(job.place(), {WithABadOne()});
  LoaderOptions options = SmallOptions();
  options.on_error = OnError::kSkip;
  options.max_skipped = 0.2;
  std::vector<BadSample> told;
  options.on_bad_sample = [&](const BadSample& bad) { told.push_back(bad); };
  StreamLoader loader = job.Load(options);
  const std::vector<Given> given = RestOfEpoch(loader);
  EXPECT_THAT(Numbers(given), ElementsAre(ElementsAre(0, 1, 2), ElementsAre(4, 5, 6)));
  EXPECT_EQ(given[0].state.position, 4u);
  EXPECT_EQ(loader.Stats().skipped, 1u);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].position, 3u);
  EXPECT_THAT(told[0].uri, HasSubstr("train_0#3"));
}

// A row in the middle of its batch: those after it move up.
TEST(StreamFaults, RowsBehindASkippedOneKeepTheirPixels) {
  const std::string bad = Framed("<html>no image, of more than a few bytes</html>");
  LoaderOptions options = SmallOptions(6);
  options.on_error = OnError::kSkip;
  options.max_skipped = 1;
  StreamJob job;
  const PipeWriter writer(job.place(), {Images(1) + bad + Images(1, 2) + bad + Images(2, 4)});
  StreamLoader loader = job.Load(options);
  const Given given = testing::Copy(*loader.Next());
  StreamJob whole;
  const PipeWriter other(whole.place(), {Images(6)});
  StreamLoader reference = whole.Load(SmallOptions(6));
  const Given wanted = testing::Copy(*reference.Next());
  EXPECT_THAT(given.indices, ElementsAre(0, 2, 4, 5));
  for (size_t row = 0; row < 4; ++row) {
    EXPECT_EQ(testing::RowOf(given, row), testing::RowOf(wanted, given.indices[row])) << row;
    EXPECT_TRUE(std::equal(given.geometry.begin() + static_cast<ptrdiff_t>(6 * row),
                           given.geometry.begin() + static_cast<ptrdiff_t>(6 * row + 6),
                           wanted.geometry.begin() + static_cast<ptrdiff_t>(6 * given.indices[row])));
  }
}

TEST(StreamFaults, ABatchOfWhichAllIsSkippedIsNotGiven) {
  StreamJob job;
  std::string bad;
  for (int i = 0; i < 4; ++i) bad += Framed(i == 1 ? "" : "<html>no image, of more than a few bytes</html>");
  const PipeWriter writer(job.place(), {bad + Images(2)});
  LoaderOptions options = SmallOptions();
  options.on_error = OnError::kSkip;
  options.max_skipped = 1;
  StreamLoader loader = job.Load(options);
  EXPECT_THAT(Numbers(RestOfEpoch(loader)), ElementsAre(ElementsAre(4, 5)));
}

TEST(StreamFaults, AMaskedSampleIsARowOfZeros) {
  for (const int size : {16, 0}) {  // 0: of a size that the first good image gives
    StreamJob job;
    const PipeWriter writer(job.place(),
                            {Framed("<html>no image, of more than a few bytes</html>") + Images(3)});
    LoaderOptions options = SmallOptions();
    options.image.height = options.image.width = size;
    if (size == 0) options.image = {};
    options.on_error = OnError::kMask;
    options.max_skipped = 0.25;
    StreamLoader loader = job.Load(options);
    const Given given = testing::Copy(*loader.Next());
    EXPECT_THAT(given.valid, ElementsAre(0, 1, 1, 1));
    EXPECT_THAT(testing::RowOf(given, 0), Each(0));
    EXPECT_THAT(testing::RowOf(given, 1), Not(Each(0)));
    EXPECT_FALSE(loader.Next());
    EXPECT_EQ(loader.Stats().masked, 1u);
  }
}

TEST(StreamFaults, MoreBadOnesThanAllowedEndTheEpoch) {
  StreamJob job;
  const PipeWriter writer(job.place(), {WithABadOne()});
  LoaderOptions options = SmallOptions();
  options.on_error = OnError::kSkip;
  options.max_skipped = 0.14;  // of 7, none
  StreamLoader loader = job.Load(options);
  EXPECT_TRUE(loader.Next());  // the epoch may have a thousand samples yet
  EXPECT_TRUE(loader.Next());
  for (int i = 0; i < 2; ++i) {
    const Error error = ErrorOf([&] { loader.Next(); });
    EXPECT_THAT(error.what(), HasSubstr("1 of the 7 samples of epoch 0"));
  }
  LoaderOptions none = options;
  none.max_skipped = 0;
  EXPECT_THAT(Failure(WithABadOne(), {}, 0, none).what(), HasSubstr("1 of the first 4 samples"));
}

TEST(StreamFaults, AFailingReportIsTheRowsError) {
  LoaderOptions options = SmallOptions();
  options.on_error = OnError::kSkip;
  options.on_bad_sample = [](const BadSample&) { throw std::runtime_error("disk full"); };
  EXPECT_THAT(Failure(WithABadOne(), {}, 0, options).what(), HasSubstr("on_bad_sample failed: disk full"));
}

TEST(StreamFaults, AWriterThatDoesNotComeIsNamed) {
  StreamJob job;
  StreamLoader loader = job.Load(SmallOptions(), {.patience = std::chrono::milliseconds(50)});
  const Error missing = ErrorOf([&] { loader.Next(); });
  EXPECT_EQ(missing.code(), ErrorCode::kTimeout);
  EXPECT_EQ(missing.uri(), job.place().Fifo(0));
}

TEST(StreamFaults, AChannelHasOneReader) {
  StreamJob job;
  const PipeWriter writer(job.place(), {Images(500), Images(2)});
  LoaderOptions options = SmallOptions();
  options.memory = uint64_t{2} << 20;
  StreamLoader first = job.Load(options);
  ASSERT_TRUE(first.Next());
  StreamLoader second = job.Load();
  EXPECT_THAT(ErrorOf([&] { second.Next(); }).what(), HasSubstr("a FIFO has one reader"));
  first.Close();
  StreamLoader third = job.Load();
  EXPECT_TRUE(third.Next());
}

TEST(StreamFaults, CloseEndsAWaitAndLetsTheWriterGo) {
  StreamJob job;
  StreamLoader loader = job.Load();
  std::future<Error> waiting =
      std::async(std::launch::async, [&] { return ErrorOf([&] { loader.Next(); }); });
  EXPECT_FALSE(loader.WaitFor(std::chrono::milliseconds(20)));
  loader.Close();
  ASSERT_EQ(waiting.wait_for(kLong), std::future_status::ready);
  EXPECT_EQ(waiting.get().code(), ErrorCode::kCancelled);
  EXPECT_EQ(ErrorOf([&] { loader.Next(); }).code(), ErrorCode::kCancelled);
  EXPECT_EQ(ErrorOf([&] { loader.Restore(loader.State()); }).code(), ErrorCode::kCancelled);
}

TEST(StreamFaults, ALongWaitIsWarnedOf) {
  std::promise<std::string> said;
  std::atomic<bool> once = false;
  RuntimeOptions talking = testing::Quiet();
  talking.log = [&](LogLevel, std::string_view message) {
    if (!once.exchange(true)) said.set_value(std::string(message));
  };
  StreamJob job(talking);
  LoaderOptions options = SmallOptions();
  options.stall_warning = std::chrono::milliseconds(10);
  StreamLoader loader = job.Load(options);
  std::future<Error> waiting =
      std::async(std::launch::async, [&] { return ErrorOf([&] { loader.Next(); }); });
  std::future<std::string> warning = said.get_future();
  const auto came = warning.wait_for(kLong);
  loader.Close();
  ASSERT_EQ(came, std::future_status::ready);
  EXPECT_THAT(warning.get(), HasSubstr("for sample 0 of epoch 0 of channel:train"));
  EXPECT_EQ(waiting.get().code(), ErrorCode::kCancelled);
}

// Whatever the consumer does when, it gets the same batches, and nothing hangs.
TEST(StreamFaults, StopsAnywhere) {
  StreamJob reference;
  constexpr uint64_t kSamples = 60;
  const PipeWriter first(reference.place(), {LabelledImages(kSamples)});
  StreamLoader whole = reference.Load(SmallOptions(), {.labels = true});
  const std::vector<Given> wanted = RestOfEpoch(whole);
  for (int i = 0; i < testing::RandomStops(); ++i) {
    CounterRng rng(7, 0, static_cast<uint64_t>(i));
    StreamJob job;
    const PipeWriter writer(job.place(), {LabelledImages(kSamples), LabelledImages(kSamples)});
    LoaderOptions options = SmallOptions();
    options.memory = (uint64_t{5} << 18) + (rng.NextU64() % 4 + 2) * 4 * options.image.RowBytes();
    StreamLoader loader = job.Load(options, {.labels = true});
    const uint64_t taken = rng.NextU64() % wanted.size();
    for (uint64_t batch = 0; batch < taken; ++batch) EXPECT_EQ(testing::Copy(*loader.Next()), wanted[batch]);
    if (rng.NextU64() % 2 == 0) {
      loader.Restore({.epoch = 1, .position = 4 * taken, .fingerprint = loader.stream().fingerprint()});
      EXPECT_EQ(RestOfEpoch(loader).size(), wanted.size() - taken);
    }
  }
}

}  // namespace
}  // namespace bucketline
