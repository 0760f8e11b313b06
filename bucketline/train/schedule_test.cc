#include "bucketline/train/schedule.h"

#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<double> Factors(const LearningRateSchedule& schedule, uint64_t steps,
                            uint64_t steps_in_epoch = 10) {
  const ScheduleOfRun of_run(schedule, steps, steps_in_epoch);
  std::vector<double> factors;
  for (uint64_t step = 0; step < steps; ++step) factors.push_back(of_run.Factor(step));
  return factors;
}

TEST(TrainingSpan, ParsesStepsAndEpochs) {
  EXPECT_EQ(TrainingSpan::Parse("500steps").Steps(7), 500u);
  EXPECT_EQ(TrainingSpan::Parse("1step").Steps(7), 1u);
  EXPECT_EQ(TrainingSpan::Parse("1epoch").Steps(7), 7u);
  EXPECT_EQ(TrainingSpan::Parse("0.5epochs").Steps(100), 50u);
  EXPECT_EQ(TrainingSpan::Parse("0.001epochs").Steps(100), 1u);  // above 0 never rounds to none
  EXPECT_EQ(TrainingSpan::Parse("0steps").Steps(7), 0u);
  EXPECT_EQ(TrainingSpan::Parse("0epochs").Steps(7), 0u);
  for (const char* text : {"500steps", "2epochs", "0.5epochs"}) {
    EXPECT_EQ(TrainingSpan::Parse(text).ToString(), text);
  }
}

TEST(TrainingSpan, NamesWhatItCannotRead) {
  for (const char* text : {"", "500", "steps", "-1steps", "1.5steps", "1e3steps", "5 steps", "nanepochs",
                           "infepochs", "1minute", "epoch1"}) {
    try {
      TrainingSpan::Parse(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_THAT(error.message(), HasSubstr(text));
    }
  }
}

TEST(Schedule, ConstantIsOneThroughout) { EXPECT_THAT(Factors({}, 3), ElementsAre(1, 1, 1)); }

TEST(Schedule, LinearFallsByEqualSteps) {
  EXPECT_THAT(Factors({.kind = ScheduleKind::kLinear}, 4), ElementsAre(1, 0.75, 0.5, 0.25));
  EXPECT_THAT(Factors({.kind = ScheduleKind::kLinear, .final_fraction = 0.5}, 4),
              ElementsAre(1, 0.875, 0.75, 0.625));
}

TEST(Schedule, CosineFallsAsThePaperSays) {
  // Loshchilov and Hutter, "SGDR", equation 5 with one period.
  EXPECT_THAT(Factors({.kind = ScheduleKind::kCosine}, 6),
              ElementsAre(1, DoubleNear((2 + std::sqrt(3)) / 4, 1e-15), DoubleNear(0.75, 1e-15),
                          DoubleNear(0.5, 1e-15), DoubleNear(0.25, 1e-15),
                          DoubleNear((2 - std::sqrt(3)) / 4, 1e-15)));
  EXPECT_THAT(Factors({.kind = ScheduleKind::kCosine, .final_fraction = 0.2}, 2),
              ElementsAre(1, DoubleNear(0.6, 1e-15)));
}

TEST(Schedule, StepFallsAtItsBoundariesCountedFromTheStart) {
  const LearningRateSchedule schedule{
      .kind = ScheduleKind::kStep, .warmup = {1, false}, .every = {2, true}, .factor = 0.5};
  EXPECT_THAT(Factors(schedule, 10, 2), ElementsAre(1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25));
}

TEST(Schedule, WarmUpRisesThenTheScheduleBegins) {
  EXPECT_THAT(Factors({.warmup = {4, false}}, 6), ElementsAre(0.25, 0.5, 0.75, 1, 1, 1));
  EXPECT_THAT(Factors({.kind = ScheduleKind::kLinear, .warmup = {1, true}}, 6, 2),
              ElementsAre(0.5, 1, 1, 0.75, 0.5, 0.25));
}

TEST(Schedule, NeverBelowZeroOrAboveOneAndNeverRisesAfterTheWarmUp) {
  for (const ScheduleKind kind :
       {ScheduleKind::kConstant, ScheduleKind::kLinear, ScheduleKind::kCosine, ScheduleKind::kStep}) {
    for (const uint64_t warmup : {0, 1, 7}) {
      const std::vector<double> factors =
          Factors({.kind = kind, .warmup = {static_cast<double>(warmup), false}, .every = {3, false}}, 50);
      for (size_t i = 0; i < factors.size(); ++i) {
        EXPECT_GT(factors[i], 0);
        EXPECT_LE(factors[i], 1);
        if (i > warmup) {
          EXPECT_LE(factors[i], factors[i - 1]) << ScheduleName(kind) << " " << i;
        }
        if (i > 0 && i < warmup) {
          EXPECT_GT(factors[i], factors[i - 1]);
        }
      }
    }
  }
}

TEST(Schedule, BeyondTheRunTheLastFactorStays) {
  const ScheduleOfRun schedule({.kind = ScheduleKind::kLinear}, 4, 4);
  EXPECT_EQ(schedule.Factor(100), schedule.Factor(3));
}

TEST(Schedule, AWarmUpOfTheWholeRunIsRefused) {
  EXPECT_THROW(ScheduleOfRun({.warmup = {4, false}}, 4, 4), Error);
  EXPECT_NO_THROW(ScheduleOfRun({.warmup = {3, false}}, 4, 4));
}

TEST(Schedule, OfARunWithoutAnEndIsConstant) {
  const ScheduleOfRun schedule =
      ScheduleOfRun::Endless({.kind = ScheduleKind::kConstant, .warmup = {.count = 4, .in_epochs = false}});
  EXPECT_DOUBLE_EQ(schedule.Factor(1), 0.5);
  EXPECT_DOUBLE_EQ(schedule.Factor(1'000'000'000), 1);
  EXPECT_EQ(schedule.Fingerprint(), "constant, warm-up of 4steps");
  EXPECT_EQ(schedule.FingerprintInSteps(), "constant, warm-up of 4 steps");
  for (const LearningRateSchedule& refused :
       {LearningRateSchedule{.kind = ScheduleKind::kCosine},
        LearningRateSchedule{.kind = ScheduleKind::kConstant, .warmup = {.count = 1, .in_epochs = true}}}) {
    EXPECT_THAT([&] { ScheduleOfRun::Endless(refused); },
                ::testing::ThrowsMessage<Error>(HasSubstr("with a warm-up in steps")));
  }
}

TEST(Schedule, FiguresOutOfRangeAreRefused) {
  for (const LearningRateSchedule& schedule :
       {LearningRateSchedule{.final_fraction = -0.1}, LearningRateSchedule{.final_fraction = 1.1},
        LearningRateSchedule{.factor = 0}, LearningRateSchedule{.factor = 1.5},
        LearningRateSchedule{.every = {0, false}}, LearningRateSchedule{.factor = std::nan("")}}) {
    EXPECT_THROW(schedule.Validate(), Error);
  }
}

TEST(Schedule, TheFingerprintTellsWhatChangesTheFactors) {
  const auto text = [](LearningRateSchedule schedule, uint64_t steps = 40) {
    return ScheduleOfRun(schedule, steps, 10).Fingerprint();
  };
  EXPECT_EQ(text({}), "constant");
  EXPECT_EQ(text({}, 50), "constant");  // more epochs may follow a constant rate
  EXPECT_EQ(text({.warmup = {1, true}}), "constant, warm-up of 1epochs");
  EXPECT_EQ(text({.warmup = {10, false}}), "constant, warm-up of 10steps");
  EXPECT_EQ(text({.kind = ScheduleKind::kCosine, .final_fraction = 0.01}), "cosine over 4 epochs to 0.01");
  EXPECT_NE(text({.kind = ScheduleKind::kCosine}), text({.kind = ScheduleKind::kCosine}, 50));
  EXPECT_EQ(text({.kind = ScheduleKind::kStep, .every = {2, true}}), "step of 0.1 every 2epochs");
  EXPECT_EQ(text({.kind = ScheduleKind::kLinear}), "linear over 4 epochs to 0");
}

TEST(Schedule, OtherBatchesHaveTheSameFingerprintAndRates) {
  const LearningRateSchedule cosine{.kind = ScheduleKind::kCosine, .warmup = {1, true}};
  const ScheduleOfRun small(cosine, 40, 10), large(cosine, 20, 5);
  EXPECT_EQ(small.Fingerprint(), large.Fingerprint());
  for (uint64_t step = 5; step < 20; ++step) EXPECT_NEAR(large.Factor(step), small.Factor(2 * step), 1e-12);
}

// What checkpoints of earlier versions hold.
TEST(Schedule, TheFingerprintInStepsIsWhatItWas) {
  const auto text = [](LearningRateSchedule schedule) {
    return ScheduleOfRun(schedule, 40, 10).FingerprintInSteps();
  };
  EXPECT_EQ(text({}), "constant");
  EXPECT_EQ(text({.warmup = {1, true}}), "constant, warm-up of 10 steps");
  EXPECT_EQ(text({.kind = ScheduleKind::kCosine, .final_fraction = 0.01}), "cosine over 40 steps to 0.01");
  EXPECT_EQ(text({.kind = ScheduleKind::kStep, .every = {2, true}}), "step of 0.1 every 20 steps");
}

}  // namespace
}  // namespace bucketline
