#include "bucketline/loader/verdict.h"

#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"

namespace bucketline {
namespace {

using std::chrono::seconds;
using testing::ImageBucket;
using testing::SmallOptions;

// Ten seconds of two decode threads and 64 requests at most, in which nobody was busy.
LoaderStats IdleStats() {
  LoaderStats stats;
  stats.batches = 10;
  stats.span = seconds(10);
  stats.decode_threads = 2;
  stats.max_requests = 64;
  stats.budget_capacity = 64_MiB;
  stats.fetch = {.count = 320, .wall = seconds(20), .cpu = {}};
  stats.decode = {.count = 320, .wall = seconds(2), .cpu = {}};
  stats.wait = seconds(9);
  return stats;
}

TEST(Verdict, AConsumerThatHardlyWaitsIsTheBottleneck) {
  LoaderStats stats = IdleStats();
  stats.wait = std::chrono::milliseconds(400);
  stats.decode.wall = seconds(20);  // whatever the others do
  const Verdict verdict = Explain(stats);
  EXPECT_EQ(verdict.bottleneck, Bottleneck::kConsumer);
  EXPECT_DOUBLE_EQ(verdict.wait_share, 0.04);
  EXPECT_NE(verdict.text.find("4.0 %"), std::string::npos) << verdict.text;
}

TEST(Verdict, BusyDecodeThreads) {
  LoaderStats stats = IdleStats();
  stats.decode.wall = seconds(18);
  stats.fetch.wall = seconds(640);  // requests pile up because of it
  const Verdict verdict = Explain(stats);
  EXPECT_EQ(verdict.bottleneck, Bottleneck::kDecode);
  EXPECT_DOUBLE_EQ(verdict.decode_share, 0.9);
  EXPECT_NE(verdict.text.find("2 decode threads are busy 90 %"), std::string::npos) << verdict.text;
  EXPECT_NE(verdict.text.find("56.25 ms an image"), std::string::npos) << verdict.text;
}

TEST(Verdict, ThreadsThatAreInTheTransform) {
  LoaderStats stats = IdleStats();
  stats.transform = {.count = 320, .wall = seconds(16), .cpu = seconds(8)};
  const Verdict verdict = Explain(stats);
  EXPECT_EQ(verdict.bottleneck, Bottleneck::kTransform);
  EXPECT_DOUBLE_EQ(verdict.transform_share, 0.8);
  EXPECT_DOUBLE_EQ(verdict.decode_share, 0.1);
  EXPECT_NE(verdict.text.find("80 %"), std::string::npos) << verdict.text;
  EXPECT_NE(verdict.text.find("50.00 ms a sample, 25.00 ms of it"), std::string::npos) << verdict.text;
  stats.decode.wall = seconds(17);  // more than the transform
  EXPECT_EQ(Explain(stats).bottleneck, Bottleneck::kDecode);
  stats.decode.wall = seconds(0);
  stats.transform.wall = seconds(15);
  EXPECT_EQ(Explain(stats).bottleneck, Bottleneck::kMemory);  // busy 75 % only
}

TEST(Verdict, AllRequestsUnderWay) {
  LoaderStats stats = IdleStats();
  stats.fetch.wall = seconds(600);
  const Verdict verdict = Explain(stats);
  EXPECT_EQ(verdict.bottleneck, Bottleneck::kRequests);
  EXPECT_DOUBLE_EQ(verdict.requests, 60);
  EXPECT_NE(verdict.text.find("60 of 64 requests"), std::string::npos) << verdict.text;
  EXPECT_NE(verdict.text.find("1875 ms each"), std::string::npos) << verdict.text;
  EXPECT_NE(verdict.text.find("raise max_requests"), std::string::npos) << verdict.text;
}

TEST(Verdict, NobodyBusyMeansTooLittleMemory) {
  const Verdict verdict = Explain(IdleStats());
  EXPECT_EQ(verdict.bottleneck, Bottleneck::kMemory);
  EXPECT_NE(verdict.text.find("a budget of 64.0 MiB keeps 2 of 64 requests"), std::string::npos)
      << verdict.text;
  EXPECT_NE(verdict.text.find("raise memory"), std::string::npos) << verdict.text;
}

TEST(Verdict, ReadsFromTheCachesDisk) {
  LoaderStats stats = IdleStats();
  stats.fetch.wall = seconds(600);
  stats.cache = {.hits = 300, .hit_bytes = 1, .misses = 20, .miss_bytes = 1, .wall = seconds(450)};
  const Verdict verdict = Explain(stats);
  EXPECT_EQ(verdict.bottleneck, Bottleneck::kCache);
  EXPECT_NE(verdict.text.find("the cache: 60 of 64 requests"), std::string::npos) << verdict.text;
  EXPECT_NE(verdict.text.find("1500 ms each"), std::string::npos) << verdict.text;
  stats.cache = {.hits = 80, .hit_bytes = 1, .misses = 240, .miss_bytes = 1, .wall = seconds(10)};
  EXPECT_EQ(Explain(stats).bottleneck, Bottleneck::kRequests) << "most of the time goes to the store";
  EXPECT_NE(Explain(stats).text.find("answered 25 % of them, a larger cache_size"), std::string::npos)
      << Explain(stats).text;
}

TEST(Verdict, ThreadsThatReadPixelsFromTheCache) {
  LoaderStats stats = IdleStats();
  stats.fetch = {};  // everything was found
  stats.pixels = {.hits = 240, .hit_bytes = 1, .misses = 80, .miss_bytes = 1, .wall = seconds(16)};
  const Verdict verdict = Explain(stats);
  EXPECT_EQ(verdict.bottleneck, Bottleneck::kCache);
  EXPECT_DOUBLE_EQ(verdict.pixel_share, 0.8);
  EXPECT_NE(verdict.text.find("80 % of the time (50.00 ms an image, 75 % of them found)"), std::string::npos)
      << verdict.text;
  stats.decode.wall = seconds(17);
  EXPECT_EQ(Explain(stats).bottleneck, Bottleneck::kDecode) << "more than that is computing";
}

TEST(Verdict, DecodingOfWhatIsCached) {
  LoaderStats stats = IdleStats();
  stats.decode.wall = seconds(18);
  EXPECT_EQ(Explain(stats).text.find("cache_pixels"), std::string::npos);
  stats.cache = {.hits = 300, .hit_bytes = 1, .misses = 20, .miss_bytes = 1, .wall = seconds(1)};
  EXPECT_EQ(Explain(stats).bottleneck, Bottleneck::kDecode);
  EXPECT_NE(Explain(stats).text.find("cache_pixels"), std::string::npos) << Explain(stats).text;
}

TEST(Verdict, AStreamsWriter) {
  LoaderStats stats = IdleStats();
  stats.max_requests = 0;
  stats.fetch.wall = seconds(6);
  const Verdict verdict = Explain(stats);
  EXPECT_EQ(verdict.bottleneck, Bottleneck::kWriter);
  EXPECT_NE(verdict.text.find("waited for 60 %"), std::string::npos) << verdict.text;
  stats.fetch.wall = seconds(1);
  EXPECT_EQ(Explain(stats).bottleneck, Bottleneck::kMemory);
  EXPECT_EQ(Explain(stats).text.find("requests"), std::string::npos);
  stats.decode_threads = 0;  // bytes: there is nobody else
  EXPECT_EQ(Explain(stats).bottleneck, Bottleneck::kWriter);
}

TEST(Verdict, RawRecordsAreNotDecoded) {
  LoaderStats stats = IdleStats();
  stats.decode = {};
  stats.decode_threads = 0;
  EXPECT_EQ(Explain(stats).bottleneck, Bottleneck::kMemory);
  stats.fetch.wall = seconds(630);
  EXPECT_EQ(Explain(stats).bottleneck, Bottleneck::kRequests);
}

TEST(Verdict, NothingIsSaidOfTooLittle) {
  for (const auto spoil :
       {+[](LoaderStats& stats) { stats.batches = 1; }, +[](LoaderStats& stats) { stats.span = {}; },
        +[](LoaderStats& stats) { stats.fetch = {}; }}) {
    LoaderStats stats = IdleStats();
    spoil(stats);
    EXPECT_EQ(Explain(stats).bottleneck, Bottleneck::kNone);
    EXPECT_FALSE(Explain(stats).text.empty());
  }
}

TEST(Verdict, ALoaderGivesWhatItNeeds) {
  ImageBucket bucket(8);
  LoaderOptions options = SmallOptions();
  options.threads = 3;
  options.max_requests = 5;
  Loader loader(bucket.Open(), options);
  EXPECT_EQ(loader.Stats().span, Duration(0));
  const SteadyTime start = Clock::Real().Now();
  while (loader.epoch() < 2) loader.Next();
  const LoaderStats stats = loader.Stats();
  EXPECT_GT(stats.span, Duration(0));
  EXPECT_GE(stats.span, stats.wait);
  EXPECT_LE(stats.span, Clock::Real().Now() - start);
  EXPECT_EQ(stats.decode_threads, 3u);
  EXPECT_EQ(stats.max_requests, 5u);
  EXPECT_NE(Explain(stats).bottleneck, Bottleneck::kNone);
}

TEST(Verdict, EachHasAName) {
  EXPECT_EQ(Name(Bottleneck::kNone), "none");
  EXPECT_EQ(Name(Bottleneck::kConsumer), "consumer");
  EXPECT_EQ(Name(Bottleneck::kDecode), "decode");
  EXPECT_EQ(Name(Bottleneck::kTransform), "transform");
  EXPECT_EQ(Name(Bottleneck::kRequests), "requests");
  EXPECT_EQ(Name(Bottleneck::kCache), "cache");
  EXPECT_EQ(Name(Bottleneck::kWriter), "writer");
  EXPECT_EQ(Name(Bottleneck::kMemory), "memory");
}

}  // namespace
}  // namespace bucketline
