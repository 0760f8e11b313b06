#include "bucketline/sampler/mix_weights.h"

#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/sampler/mix.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Refusal(const std::vector<uint64_t>& records, double temperature) {
  try {
    TemperatureWeights(records, temperature);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.what();
  }
  return "nothing was thrown";
}

TEST(MixWeights, ProportionalIsBySizeAsSmallAsCanBe) {
  EXPECT_THAT(ProportionalWeights({300, 100, 200}), ElementsAre(3, 1, 2));
  EXPECT_THAT(ProportionalWeights({7}), ElementsAre(1));
  EXPECT_THAT(ProportionalWeights({13, 10}), ElementsAre(13, 10));
}

TEST(MixWeights, TemperatureOneIsProportional) {
  EXPECT_EQ(TemperatureWeights({1'000'003, 17}, 1), ProportionalWeights({1'000'003, 17}));
}

TEST(MixWeights, SharesAreThoseOfTheRootWithinOnePercent) {
  const std::vector<std::vector<uint64_t>> mixes = {
      {100, 400}, {1, 10, 100, 1000}, {1'281'167, 50'000, 6'000}, {3, 3, 3}, {20, 90'000}};
  for (const std::vector<uint64_t>& records : mixes) {
    for (const double temperature : {0.5, 1.2, 2.0, 3.3333, 5.0, 100.0}) {
      const std::vector<uint64_t> weights = TemperatureWeights(records, temperature);
      const auto slots = static_cast<double>(std::accumulate(weights.begin(), weights.end(), uint64_t{0}));
      double sum = 0;
      for (const uint64_t count : records) sum += std::pow(count, 1 / temperature);
      for (size_t i = 0; i < records.size(); ++i) {
        const double wanted = std::pow(records[i], 1 / temperature) / sum;
        EXPECT_NEAR(static_cast<double>(weights[i]) / slots / wanted, 1, 0.01) << temperature << " " << i;
      }
    }
  }
}

TEST(MixWeights, AreWhatTheyAlwaysWere) {
  EXPECT_THAT(TemperatureWeights({100, 400}, 2), ElementsAre(341, 683));
  EXPECT_THAT(TemperatureWeights({1000, 1000}, 7), ElementsAre(1, 1));
  EXPECT_THAT(TemperatureWeights({1, 1'000'000}, std::numeric_limits<double>::max()), ElementsAre(1, 1));
}

TEST(MixWeights, AMixTakesThem) {
  const std::vector<uint64_t> records = {20, 9'000'000};
  const std::vector<uint64_t> weights = TemperatureWeights(records, 0.9);
  EXPECT_NO_THROW(Mix({{records[0], weights[0]}, {records[1], weights[1]}}, 100, 1));
}

TEST(MixWeights, AreChecked) {
  EXPECT_THAT(Refusal({}, 2), HasSubstr("at least one part"));
  EXPECT_THAT(Refusal({5, 0}, 2), HasSubstr("part 1 of the mix has no records"));
  EXPECT_THROW(ProportionalWeights({0}), Error);
  EXPECT_THROW(ProportionalWeights({}), Error);
  for (const double wrong : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()})
    EXPECT_THAT(Refusal({5, 6}, wrong), HasSubstr("finite number above 0")) << wrong;
  EXPECT_THAT(Refusal({9, 1'000'000, 5}, 0.1), HasSubstr("share of part 2 of the mix, which has 5 records"));
}

}  // namespace
}  // namespace bucketline
