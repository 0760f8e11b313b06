#include "bucketline/dataset/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/dataset/pipe_testing.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::JobFolder;
using testing::Quiet;

TEST(Stream, NamesTheRecordsOfItsSamples) {
  const JobFolder job;
  Runtime runtime(Quiet());
  EXPECT_THAT(Stream(runtime, job.Train()).options().attributes, ElementsAre("data"));
  const Stream labelled(runtime, job.Train(), {.labels = true});
  EXPECT_THAT(labelled.options().attributes, ElementsAre("data", "label"));
  EXPECT_THAT(labelled.part_names(), ElementsAre("data"));
  const Stream three(runtime, job.Train(), {.attributes = {"image", "class", "mask"}, .labels = true});
  EXPECT_THAT(three.part_names(), ElementsAre("image", "mask"));
  EXPECT_EQ(three.source(), "channel:train");
}

TEST(Stream, IsFingerprintedByWhatItIs) {
  const JobFolder job;
  Runtime runtime(Quiet());
  const uint64_t plain = Stream(runtime, job.Train()).fingerprint();
  EXPECT_EQ(Stream(runtime, job.Train()).fingerprint(), plain);
  EXPECT_NE(Stream(runtime, job.Train(), {.labels = true}).fingerprint(), plain);
  EXPECT_NE(Stream(runtime, job.Train(), {.attributes = {"x"}}).fingerprint(), plain);
}

TEST(Stream, RefusesWhatDoesNotGoTogether) {
  const JobFolder job;
  Runtime runtime(Quiet());
  const auto refused = [&](const StreamOptions& options) {
    const Error error = ErrorOf([&] { Stream(runtime, job.Train(), options); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error.uri(), "channel:train");
    return error.message();
  };
  EXPECT_THAT(refused({.attributes = {"a", "a"}}), HasSubstr("named twice"));
  EXPECT_THAT(refused({.classes = {"a"}}), HasSubstr("no labels"));
  EXPECT_THAT(refused({.patience = Duration::zero()}), HasSubstr("positive"));
  ChannelPlace place = job.Train();
  place.is_pipe = false;
  EXPECT_THAT(ErrorOf([&] { Stream(runtime, place); }).what(), HasSubstr("a Dataset opens"));
}

}  // namespace
}  // namespace bucketline
