#include "bucketline/inspect/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/inspect/synthetic_images.h"

namespace bucketline {
namespace {

using namespace std::chrono_literals;
using testing::Bucket;
using testing::ErrorOf;
using ::testing::HasSubstr;

// Ten seconds in which 1,000 images of 100 KB came.
ProbeFacts Facts() {
  ProbeFacts facts{
      .records = 5'000, .mean_bytes = 100'000, .cpus = 8, .free_memory = 64_GiB, .seconds = 10, .stats = {}};
  facts.short_side = 300;
  facts.wanted_side = 224;
  facts.stats.batches = 32;
  facts.stats.images = 1'000;
  facts.stats.wait = 8s;
  facts.stats.span = 10s;
  facts.stats.fetch = {.count = 1'000, .wall = 100s, .cpu = 1s};
  facts.stats.decode = {.count = 1'000, .wall = 10s, .cpu = 5s};
  facts.stats.budget_capacity = 1_GiB;
  facts.stats.budget_peak = 200_MiB;
  facts.stats.decode_threads = 8;
  facts.stats.max_requests = 96;
  return facts;
}
ProbeFacts DecodeBound() {
  ProbeFacts facts = Facts();
  facts.stats.decode = {.count = 1'000, .wall = 80s, .cpu = 20s};
  return facts;
}
ProbeFacts RequestBound() {
  ProbeFacts facts = Facts();
  facts.stats.fetch.wall = 955s;
  return facts;
}

Advice Of(const ProbeFacts& facts, const std::string& about) {
  for (Advice& advice : Advise(facts)) {
    if (advice.about == about) return advice;
  }
  ADD_FAILURE() << about;
  return {};
}

TEST(Advise, AllCpusWhereDecodingTakesTheTime) {
  const Advice advice = Of(DecodeBound(), "threads");
  EXPECT_EQ(advice.value, "8");
  EXPECT_THAT(advice.reason, HasSubstr("20.00 ms of CPU an image, so 8 CPUs give 400 images/s"));
}

TEST(Advise, NoMoreThreadsThanKeepBusy) {
  EXPECT_EQ(Of(Facts(), "threads").value, "1");  // 100 images/s of 5 ms
  ProbeFacts faster = Facts();
  faster.seconds = 1;
  EXPECT_EQ(Of(faster, "threads").value, "7");  // 1,000 of them, and a quarter to spare
}

TEST(Advise, MemoryIsWhatWasUsedAndSomeMore) {
  EXPECT_EQ(Of(RequestBound(), "memory").value, "256.0 MiB");
  EXPECT_THAT(Of(RequestBound(), "memory").reason, HasSubstr("200.0 MiB at most"));
  ProbeFacts tight = Facts();  // few requests, little decoding, much waiting: the budget is what is short
  EXPECT_EQ(Of(tight, "memory").value, "2.0 GiB");
  tight.free_memory = 2_GiB;
  EXPECT_EQ(Of(tight, "memory").value, "1.0 GiB");
  EXPECT_THAT(Of(tight, "memory").reason, HasSubstr("half of what is free"));
}

TEST(Advise, MoreRequestsWhereAllAreUnderWay) {
  EXPECT_EQ(Of(RequestBound(), "requests").value, "192");
  EXPECT_THAT(Of(RequestBound(), "requests").reason, HasSubstr("955 ms each"));
  EXPECT_EQ(Of(DecodeBound(), "requests").value, "96");
  ProbeFacts many = RequestBound();
  many.stats.max_requests = 384;
  many.stats.fetch.wall = 3'820s;
  EXPECT_EQ(Of(many, "requests").value, "384");
}

TEST(Advise, PackingWhereItPays) {
  EXPECT_EQ(Of(DecodeBound(), "pack").value, "no");
  EXPECT_THAT(Of(RequestBound(), "pack").value, HasSubstr("in order"));
  ProbeFacts large = DecodeBound();
  large.short_side = 1'000;
  EXPECT_EQ(Of(large, "pack").value, "yes, --resize short=256");
  large.wanted_side = 0;  // not decoded
  EXPECT_EQ(Of(large, "pack").value, "no");
  ProbeFacts shards = RequestBound();
  shards.shards = true;
  EXPECT_THAT(Of(shards, "pack").reason, HasSubstr("shards already"));
}

TEST(Advise, AnIndexWhereListingTakesSeconds) {
  EXPECT_EQ(Of(Facts(), "index").value, "no");
  ProbeFacts many = Facts();
  many.records = 10'000;
  EXPECT_THAT(Of(many, "index").value, HasSubstr("bucketline index"));
  many.listed = false;
  EXPECT_EQ(Of(many, "index").value, "no");
}

TEST(Probe, MeasuresOneEpochOrSoLong) {
  Bucket bucket;
  for (uint64_t i = 0; i < 20; ++i) {
    const SyntheticImage image = MakeSyntheticImage(i, 1, 64);
    bucket.Put(image.key, std::string(image.jpeg.begin(), image.jpeg.end()));
  }
  ProbeOptions options;
  options.loader.batch_size = 5;
  options.loader.image.height = options.loader.image.width = 32;
  uint64_t seen = 0;
  const Dataset dataset = bucket.Open();
  const ProbeFacts facts = Probe(dataset, options, [&](uint64_t images) { seen = images; });
  EXPECT_EQ(seen, 20u);
  EXPECT_EQ(facts.stats.images, 20u);
  EXPECT_EQ(facts.records, 20u);
  EXPECT_DOUBLE_EQ(facts.short_side, 64);
  EXPECT_EQ(facts.wanted_side, 32);
  EXPECT_FALSE(facts.shards);
  EXPECT_DOUBLE_EQ(facts.mean_bytes * 20, static_cast<double>(dataset.total_bytes()));
  EXPECT_GT(facts.cpus, 0u);
  EXPECT_EQ(Advise(facts).size(), 5u);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(ErrorOf([&] { Probe(dataset, options, {}, stop.get_token()); }).code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace bucketline
