#include "bucketline/dataset/listing_pace.h"

#include <gtest/gtest.h>

namespace bucketline {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ListingPace, IsThatOfTheLastSeconds) {
  const ListingPace::Clock::time_point start{};
  ListingPace pace(start);
  EXPECT_EQ(pace.Take(1'000'000, {}, start).objects, 1'000'000u);  // at once: from a listing before
  ListingProgress progress;
  for (int second = 1; second <= 30; ++second) {
    progress = pace.Take(1'000'000 + 500u * static_cast<unsigned>(second), 2000, start + seconds(second));
  }
  EXPECT_NEAR(progress.per_second, 500, 1e-9);
  ASSERT_TRUE(progress.seconds_left);
  EXPECT_NEAR(*progress.seconds_left, 4, 1e-9);
  EXPECT_EQ(progress.left, 2000u);
  progress = pace.Take(1'015'000, {}, start + seconds(40));  // nothing came for ten seconds
  EXPECT_EQ(progress.per_second, 0);
  EXPECT_EQ(progress.left, std::nullopt);
  EXPECT_EQ(progress.seconds_left, std::nullopt);
}

TEST(ListingPace, BeginsAtOnce) {
  const ListingPace::Clock::time_point start{};
  ListingPace pace(start);
  EXPECT_NEAR(pace.Take(1000, {}, start + milliseconds(100)).per_second, 10'000, 1e-6);
  EXPECT_NEAR(pace.Take(3000, {}, start + milliseconds(200)).per_second, 15'000, 1e-6);
}

TEST(ListingPace, IsALine) {
  EXPECT_EQ(ListingText({.objects = 123000, .per_second = 45000.4}), "123000 objects, 45000/s");
  EXPECT_EQ(ListingText({.objects = 7, .per_second = 1, .left = 0, .seconds_left = 0}), "7 objects, 1/s");
  EXPECT_EQ(ListingText({.objects = 600, .per_second = 100, .left = 400, .seconds_left = 4}),
            "600 objects, 100/s, about 60 % listed, 4 s left");
  EXPECT_EQ(ListingText({.objects = 1, .per_second = 0, .left = 99}), "1 objects, 0/s, about 1 % listed");
  EXPECT_EQ(ListingText({.objects = 999, .per_second = 1, .left = 1, .seconds_left = 200}),
            "999 objects, 1/s, about 99 % listed, 3 min left");
  EXPECT_EQ(ListingText({.objects = 1, .per_second = 1, .left = 1, .seconds_left = 9000}),
            "1 objects, 1/s, about 50 % listed, 2.5 h left");
}

}  // namespace
}  // namespace bucketline
