#include "bucketline/loader/stream_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/stream_testing.h"

namespace bucketline {
namespace {

using testing::ErrorOf;
using testing::Framed;
using testing::Given;
using testing::Images;
using testing::LabelledImages;
using testing::Numbers;
using testing::PipeWriter;
using testing::RestOfEpoch;
using testing::SmallOptions;
using testing::StreamJob;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

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

}  // namespace
}  // namespace bucketline
