#include "bucketline/loader/stream_loader.h"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/pipe_state.h"
#include "bucketline/loader/stream_testing.h"

namespace bucketline {
namespace {

using testing::Copy;
using ::testing::ElementsAre;
using testing::ErrorOf;
using testing::Framed;
using testing::Given;
using ::testing::HasSubstr;
using testing::Images;
using testing::LabelledImages;
using ::testing::Not;
using testing::Numbers;
using testing::PipeWriter;
using testing::Quiet;
using testing::RestOfEpoch;
using ::testing::SizeIs;
using testing::SmallOptions;
using testing::StreamJob;

TEST(StreamLoader, GivesTheSamplesOfEachEpochInOrder) {
  StreamJob job;
  const PipeWriter writer(job.place(), {Images(6), Images(5)});
  StreamLoader loader = job.Load();

  const std::vector<Given> first = RestOfEpoch(loader);
  EXPECT_THAT(Numbers(first), ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(4, 5)));
  EXPECT_EQ(first[1].position, 4u);
  EXPECT_EQ(first[1].state.position, 6u);
  EXPECT_EQ(loader.epoch(), 1u);
  const std::vector<Given> second = RestOfEpoch(loader);
  EXPECT_THAT(Numbers(second), ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(4)));
  EXPECT_EQ(second[0].epoch, 1u);
}

// The same samples in the same order, as objects of a bucket and as files.
TEST(StreamLoader, GivesWhatALoaderGives) {
  constexpr uint64_t kImages = 10;
  testing::ImageBucket bucket(kImages);
  bucket.PutImage("class9/large.jpg", 99, 90, 70);
  testing::TempFolder folder;
  DatasetOptions options;
  options.labels = Labels::Folder();
  const Dataset objects = bucket.Open("mem://data/", options);
  std::string bytes;
  for (uint64_t i = 0; i < objects.size(); ++i) {
    const std::string image = objects.Read(i).data.ToString();
    bytes += Framed(image) + Framed(std::to_string(objects.LabelInteger(i)));
    folder.Put(objects.Key(i), image);
  }
  const Dataset files = Dataset::Open(bucket.runtime(), folder.path(), options);
  StreamJob job;
  const PipeWriter writer(job.place(), {bytes, bytes});
  LoaderOptions loading = SmallOptions();
  loading.seed = 7;
  loading.image.type = PixelType::kFloat32;
  StreamLoader stream = job.Load(loading, {.labels = true});
  Loader of_objects(objects, loading);
  Loader of_files(files, loading);
  for (int step = 0; step < 8; ++step) {  // of two epochs, their ends included
    const std::optional<Batch> streamed = stream.Next();
    for (Loader* loader : {&of_objects, &of_files}) {
      const std::optional<Batch> wanted = loader->Next();
      ASSERT_EQ(streamed.has_value(), wanted.has_value()) << step;
      if (!wanted) continue;
      Given given = Copy(*streamed);
      given.state.fingerprint = wanted->State().fingerprint;
      EXPECT_EQ(given, Copy(*wanted)) << step;
      EXPECT_TRUE(std::ranges::equal(streamed->integer_labels(), wanted->integer_labels())) << step;
    }
  }
}

TEST(StreamLoader, OpensNoFifoBeforeItsEpochIsAskedFor) {
  StreamJob job;
  const PipeWriter writer(job.place(), {Images(3), Images(3)});
  StreamLoader loader = job.Load();
  EXPECT_EQ(writer.opened(), 0u);
  EXPECT_THAT(RestOfEpoch(loader), SizeIs(1));
  EXPECT_EQ(PipeState(job.place()).Next(), 1u);
  EXPECT_EQ(writer.opened(), 1u);
  EXPECT_TRUE(loader.Next());
  EXPECT_EQ(writer.opened(), 2u);
}

TEST(StreamLoader, GivesNothingOfAnEmptyEpoch) {
  StreamJob job;
  const PipeWriter writer(job.place(), {"", Images(1)});
  StreamLoader loader = job.Load();
  EXPECT_FALSE(loader.Next());
  EXPECT_EQ(loader.epoch(), 1u);
  EXPECT_TRUE(loader.Next());
}

TEST(StreamLoader, EndsAfterItsEpochs) {
  StreamJob job;
  const PipeWriter writer(job.place(), {Images(2), Images(2)});
  LoaderOptions options = SmallOptions();
  options.epochs = 1;
  StreamLoader loader = job.Load(options);
  EXPECT_THAT(RestOfEpoch(loader), SizeIs(1));
  EXPECT_FALSE(loader.Next());
  EXPECT_TRUE(loader.WaitFor(Duration::zero()));
  EXPECT_EQ(loader.epoch(), 1u);
}

TEST(StreamLoader, DropsATailWhereThatIsAskedFor) {
  StreamJob job;
  const PipeWriter writer(job.place(), {Images(6), Images(4)});
  LoaderOptions options = SmallOptions();
  options.last = LastPolicy::kDrop;
  StreamLoader loader = job.Load(options);
  EXPECT_THAT(Numbers(RestOfEpoch(loader)), ElementsAre(ElementsAre(0, 1, 2, 3)));
  EXPECT_THAT(Numbers(RestOfEpoch(loader)), ElementsAre(ElementsAre(0, 1, 2, 3)));
}

TEST(StreamLoader, ReadsAttributesAsTheyAreNamed) {
  StreamJob job;
  std::string bytes;
  for (int i = 0; i < 3; ++i)
    bytes += Framed("text" + std::to_string(i)) + Framed("dog") + Framed("left out") + Framed("more");
  const PipeWriter writer(job.place(), {bytes});
  LoaderOptions options = SmallOptions();
  options.fields = {{.part = "more", .decode = false}, {.part = "text", .decode = false}};
  StreamLoader loader = job.Load(
      options,
      {.attributes = {"text", "animal", "unused", "more"}, .labels = true, .classes = {"cat", "dog"}});
  const std::optional<Batch> batch = loader.Next();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->rows(), 3u);
  EXPECT_EQ(batch->field("text").raw(2).view(), "text2");
  EXPECT_EQ(batch->field("more").raw(0).view(), "more");
  EXPECT_EQ(batch->label_kind(), LabelKind::kClass);
  EXPECT_THAT(batch->integer_labels(), ElementsAre(1, 1, 1));
  EXPECT_EQ(batch->Key(1), "train_0#1");
}

TEST(StreamLoader, GivesListsOfNumbersAsLabels) {
  StreamJob job;
  const PipeWriter writer(job.place(), {Framed("a") + Framed("[1, 2]") + Framed("b") + Framed("[3, 4.5]")});
  LoaderOptions options = SmallOptions();
  options.decode = false;
  StreamLoader loader = job.Load(options, {.labels = true});
  const std::optional<Batch> batch = loader.Next();
  EXPECT_EQ(batch->label_width(), 2u);
  EXPECT_THAT(batch->float_labels(), ElementsAre(1, 2, 3, 4.5));
}

// A mask of the same geometry beside its image, and bytes beside both.
TEST(StreamLoader, DecodesSeveralFieldsOfASample) {
  testing::PairBucket bucket(3);
  const Dataset pairs = bucket.Join();
  std::string bytes;
  for (uint64_t i = 0; i < 3; ++i) {
    for (size_t part = 0; part < 2; ++part) bytes += Framed(pairs.Read(i, part).data.view());
  }
  StreamJob job;
  const PipeWriter writer(job.place(), {bytes});
  StreamLoader stream = job.Load(testing::PairOptions(), {.attributes = {"image", "mask"}});
  Loader loader(pairs, testing::PairOptions());
  Given given = Copy(*stream.Next());
  const Given wanted = Copy(*loader.Next());
  given.state = wanted.state;
  EXPECT_EQ(given, wanted);
}

TEST(StreamLoader, SizesBatchesByTheirFirstImage) {
  StreamJob job;
  const std::string odd = Framed(testing::JpegText(1, 50, 20));
  const PipeWriter writer(job.place(), {odd + odd + Images(3), Images(1) + odd});
  LoaderOptions options = SmallOptions(2);
  options.image = {};
  StreamLoader loader = job.Load(options);
  EXPECT_EQ(loader.Next()->spec().width, 50);
  EXPECT_EQ(loader.Next()->spec().width, testing::kWidth);
  EXPECT_EQ(loader.Next()->rows(), 1u);
  EXPECT_FALSE(loader.Next());
  const Error error = ErrorOf([&] { loader.Next(); });
  EXPECT_THAT(error.what(), HasSubstr("has not the size of the first one"));
  EXPECT_THAT(error.uri(), HasSubstr("train_1#1"));
}

TEST(StreamLoader, ResumesByReadingAgain) {
  StreamJob job;
  const PipeWriter writer(job.place(), {Images(9), Images(9)});
  LoaderState state;
  std::vector<Given> wanted;
  {
    StreamLoader loader = job.Load(SmallOptions(3));
    RestOfEpoch(loader);
    state = loader.Next()->State();
    wanted = RestOfEpoch(loader);
  }
  EXPECT_EQ(state.epoch, 1u);
  EXPECT_EQ(state.position, 3u);

  std::vector<std::string> said;
  RuntimeOptions talking = Quiet();
  talking.log = [&](LogLevel, std::string_view message) { said.emplace_back(message); };
  StreamJob anew(talking);  // as a job that begins again: FIFO 0 comes first
  const PipeWriter other(anew.place(), {Images(20, 100), Images(9)});
  StreamLoader loader = anew.Load(SmallOptions(3));
  loader.Restore(LoaderState::FromJson(state.ToJson()));
  EXPECT_EQ(loader.State(), state);
  EXPECT_EQ(RestOfEpoch(loader), wanted);
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_THAT(said[0], HasSubstr("resuming epoch 1 of channel:train"));
  EXPECT_THAT(said[0], HasSubstr("3 samples are read again and discarded"));
  EXPECT_THAT(said[0], Not(HasSubstr("ShuffleConfig")));
}

TEST(StreamLoader, SaysWhenItCannotHaveTheSameFifoAgain) {
  std::vector<std::string> said;
  RuntimeOptions talking = Quiet();
  talking.log = [&](LogLevel, std::string_view message) { said.emplace_back(message); };
  StreamJob job(talking);
  const PipeWriter writer(job.place(), {Images(4), Images(4)});
  StreamLoader loader = job.Load(SmallOptions(2));
  const LoaderState state = loader.Next()->State();
  loader.Restore(state);
  EXPECT_THAT(Numbers(RestOfEpoch(loader)), ElementsAre(ElementsAre(2, 3)));
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_THAT(said[0], HasSubstr("from FIFO 1: with a ShuffleConfig"));
}

TEST(StreamLoader, RefusesAStateBeyondTheEndOfItsEpoch) {
  StreamJob job;
  const PipeWriter writer(job.place(), {Images(4)});
  StreamLoader loader = job.Load(SmallOptions(2));
  LoaderState state = loader.State();
  state.position = 5;
  loader.Restore(state);
  EXPECT_THAT(ErrorOf([&] { loader.Next(); }).what(),
              HasSubstr("stands at sample 5 of its epoch, and the stream has 4"));
}

TEST(StreamLoader, LeavesAnEpochInItsMiddle) {
  StreamJob job;
  const PipeWriter writer(job.place(), {Images(500), Images(2)});  // more than FIFO and loader hold
  LoaderOptions options = SmallOptions();
  options.memory = uint64_t{2} << 20;
  StreamLoader loader = job.Load(options);
  LoaderState state = loader.Next()->State();
  state.epoch = 1;
  state.position = 0;
  loader.Restore(state);
  EXPECT_THAT(Numbers(RestOfEpoch(loader)), ElementsAre(ElementsAre(0, 1)));
}

TEST(StreamLoader, RefusesAStateOfAnotherRun) {
  StreamJob job;
  StreamLoader loader = job.Load();
  const auto refused = [&](auto change) {
    LoaderState state = loader.State();
    change(state);
    return ErrorOf([&] { loader.Restore(state); }).message();
  };
  EXPECT_THAT(refused([](LoaderState& state) { ++state.fingerprint; }), HasSubstr("not of channel:train"));
  EXPECT_THAT(refused([](LoaderState& state) { state.seed = 5; }), HasSubstr("seed is 5"));
  EXPECT_THAT(refused([](LoaderState& state) { state.shuffle = true; }), HasSubstr("no stream's"));
}

TEST(StreamLoader, KeepsItsBudget) {
  StreamJob job;
  const PipeWriter writer(job.place(), {Images(300)});
  LoaderOptions options = SmallOptions(8);
  options.memory = uint64_t{3} << 20;
  StreamLoader loader = job.Load(options);
  std::vector<Batch> kept;
  while (std::optional<Batch> batch = loader.Next()) kept.push_back(*std::move(batch));
  const LoaderStats stats = loader.Stats();
  EXPECT_EQ(stats.images, 300u);
  EXPECT_EQ(stats.budget_capacity, options.memory);
  EXPECT_LE(stats.budget_peak, options.memory);
  EXPECT_GT(stats.budget_peak, 0u);
  EXPECT_EQ(stats.decode.count, 300u);
  EXPECT_EQ(stats.lent_bytes, 38 * 8 * options.image.RowBytes());  // the last block too is one of 8 rows
  EXPECT_EQ(stats.fetch.count, 300u);
}

TEST(StreamLoader, TakesMemoryFromTheAllocator) {
  StreamJob job;
  const PipeWriter writer(job.place(), {Images(2)});
  LoaderOptions options = SmallOptions();
  std::vector<size_t> asked;
  options.allocator = [&](size_t bytes) {
    asked.push_back(bytes);
    return std::shared_ptr<void>(std::aligned_alloc(64, bytes), [](void* memory) { std::free(memory); });
  };
  StreamLoader loader = job.Load(options);
  EXPECT_TRUE(loader.Next());
  EXPECT_THAT(asked, ElementsAre(4 * options.image.RowBytes()));
}

TEST(StreamLoader, RefusesWhatAStreamCannotDoAndSaysWhatCanBeDone) {
  StreamJob job;
  const auto refused = [&](auto change) {
    LoaderOptions options = SmallOptions();
    change(options);
    const Error error = ErrorOf([&] { job.Load(options); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error.uri(), "channel:train");
    return error.message();
  };
  EXPECT_THAT(refused([](LoaderOptions& options) { options.shuffle = true; }), HasSubstr("ShuffleConfig"));
  EXPECT_THAT(refused([](LoaderOptions& options) { options.window = 3; }), HasSubstr("no window of shards"));
  EXPECT_THAT(refused([](LoaderOptions& options) { options.epoch_size = 3; }),
              HasSubstr("epoch_size cannot"));
  EXPECT_THAT(refused([](LoaderOptions& options) { options.sampling = Sampling::kReplacement; }),
              HasSubstr("FastFile"));
  EXPECT_THAT(refused([](LoaderOptions& options) { options.world_size = 2; }), HasSubstr("ShardedByS3Key"));
  EXPECT_THAT(refused([](LoaderOptions& options) { options.last = LastPolicy::kPad; }),
              HasSubstr("partial or drop"));
  EXPECT_THAT(refused([](LoaderOptions& options) { options.transform = testing::Same; }),
              HasSubstr("no keys"));
}

TEST(StreamLoader, NeedsMemoryForTwoBatchesAndAMegabyte) {
  StreamJob job;
  LoaderOptions options = SmallOptions();
  const uint64_t minimum = (uint64_t{1} << 20) + 2 * 4 * options.image.RowBytes();
  options.memory = minimum;
  EXPECT_NO_THROW(job.Load(options));
  options.memory = minimum - 1;
  const Error error = ErrorOf([&] { job.Load(options); });
  EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.what(), HasSubstr(std::to_string(minimum)));
}

}  // namespace
}  // namespace bucketline
