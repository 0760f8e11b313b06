#include "bucketline/image/crop_box.h"

#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/image/stable_math.h"

namespace bucketline {
namespace {

ImageSpec Spec(Crop crop, int height, int width) {
  ImageSpec spec;
  spec.crop = crop;
  spec.height = height;
  spec.width = width;
  return spec;
}

CounterRng Rng(uint64_t position) { return CounterRng(7, 0, position); }

TEST(StableMathTest, AgreesWithLibm) {
  for (double x = -20; x < 20; x += 0.0137) {
    EXPECT_NEAR(StableExp(x) / std::exp(x), 1, 4e-15) << x;
    EXPECT_NEAR(StableLog(std::exp(x)), x, 4e-15 * std::max(1.0, std::fabs(x))) << x;
  }
  EXPECT_EQ(StableExp(0), 1);
  EXPECT_EQ(StableLog(1), 0);
}

TEST(CropBoxTest, NoneTakesTheWholeImage) {
  const CropPlan plan = PlanCrop(Spec(Crop::kNone, 20, 30), 640, 480, Rng(0));
  EXPECT_EQ(plan.x, (AxisPlan{0, 640, 30, 0, 30}));
  EXPECT_EQ(plan.y, (AxisPlan{0, 480, 20, 0, 20}));
}

TEST(CropBoxTest, WithoutASizeItIsTheImagesOwn) {
  const CropPlan plan = PlanCrop(Spec(Crop::kNone, 0, 0), 640, 480, Rng(0));
  EXPECT_EQ(plan.x, (AxisPlan{0, 640, 640, 0, 640}));
  EXPECT_EQ(plan.y, (AxisPlan{0, 480, 480, 0, 480}));
}

// Sizes and offsets as torchvision computes them, with its halves-to-even.
TEST(CropBoxTest, CenterIsTorchvisions) {
  ImageSpec spec = Spec(Crop::kCenter, 224, 224);
  CropPlan plan = PlanCrop(spec, 500, 375, Rng(0));     // 341.33 x 256
  EXPECT_EQ(plan.x, (AxisPlan{0, 500, 341, 58, 224}));  // 58.5
  EXPECT_EQ(plan.y, (AxisPlan{0, 375, 256, 16, 224}));
  plan = PlanCrop(spec, 375, 500, Rng(0));
  EXPECT_EQ(plan.x, (AxisPlan{0, 375, 256, 16, 224}));
  EXPECT_EQ(plan.y, (AxisPlan{0, 500, 341, 58, 224}));
  spec.short_side = 227;
  plan = PlanCrop(spec, 10, 10, Rng(0));  // 1.5 goes up to 2
  EXPECT_EQ(plan.x, (AxisPlan{0, 10, 227, 2, 224}));
  spec.height = 222;  // 2.5 goes down to 2
  EXPECT_EQ(PlanCrop(spec, 10, 10, Rng(0)).y.out_begin, 2);
}

TEST(CropBoxTest, CenterOfAStripDoesNotOverflow) {
  const CropPlan plan = PlanCrop(Spec(Crop::kCenter, 224, 224), 100'000'000, 1, Rng(0));
  EXPECT_EQ(plan.x.resized, 25'600'000'000);
  EXPECT_EQ(plan.x.out_begin, 12'799'999'888);
}

TEST(CropBoxTest, CenterGeometryIsTheBoxThatIsSeen) {
  const ImageGeometry g = PlanCrop(Spec(Crop::kCenter, 224, 224), 512, 1024, Rng(0)).Geometry(512, 1024);
  EXPECT_EQ(g.source_width, 512);
  EXPECT_EQ(g.source_height, 1024);
  EXPECT_DOUBLE_EQ(g.box_left, 32);
  EXPECT_DOUBLE_EQ(g.box_width, 448);
  EXPECT_DOUBLE_EQ(g.box_top, 288);
  EXPECT_DOUBLE_EQ(g.box_height, 448);
}

TEST(CropBoxTest, RandomBoxesKeepAreaAndRatio) {
  ImageSpec spec = Spec(Crop::kRandomResized, 64, 64);
  double total_area = 0;
  std::set<int> lefts;
  constexpr int kImages = 4000;
  for (uint64_t i = 0; i < kImages; ++i) {
    const CropPlan plan = PlanCrop(spec, 500, 375, Rng(i));
    const AxisPlan& x = plan.x;
    const AxisPlan& y = plan.y;
    ASSERT_GE(x.begin, 0);
    ASSERT_LE(x.begin + x.size, 500);
    ASSERT_GE(y.begin, 0);
    ASSERT_LE(y.begin + y.size, 375);
    const double area = static_cast<double>(x.size) * y.size / (500 * 375);
    ASSERT_GT(area, 0.08 - 0.005);
    ASSERT_LE(area, 1);
    const double ratio = static_cast<double>(x.size) / y.size;
    ASSERT_GT(ratio, 3.0 / 4 - 0.01);
    ASSERT_LT(ratio, 4.0 / 3 + 0.01);
    EXPECT_EQ(x.resized, 64);
    EXPECT_EQ(x.out_size, 64);
    total_area += area;
    lefts.insert(x.begin);
  }
  EXPECT_NEAR(total_area / kImages, 0.433, 0.01);  // torchvision's mean: the largest boxes often do not fit
  EXPECT_GT(lefts.size(), 200u);
}

// The order of the draws is a promise: a recorded run must give the same boxes in every version.
TEST(CropBoxTest, DrawsInTheDocumentedOrder) {
  ImageSpec spec = Spec(Crop::kRandomResized, 64, 64);
  spec.flip = 0.5;
  spec.area = {0.25, 0.25};
  spec.ratio = {1, 1};
  for (uint64_t i = 0; i < 50; ++i) {
    CounterRng rng = Rng(i);
    const bool flip = rng.NextDouble() < 0.5;
    rng.NextDouble();  // area
    rng.NextDouble();  // ratio
    const int top = static_cast<int>(rng.NextBelow(51));
    const int left = static_cast<int>(rng.NextBelow(51));
    const CropPlan plan = PlanCrop(spec, 100, 100, Rng(i));
    EXPECT_EQ(plan.flip, flip);
    EXPECT_EQ(plan.x.size, 50);
    EXPECT_EQ(plan.y.size, 50);
    EXPECT_EQ(plan.y.begin, top);
    EXPECT_EQ(plan.x.begin, left);
  }
}

TEST(CropBoxTest, BoxesAreTheSameInEveryVersion) {
  const ImageSpec spec = Spec(Crop::kRandomResized, 64, 64);
  uint64_t hash = 0;
  for (uint64_t i = 0; i < 1000; ++i) {
    const CropPlan plan = PlanCrop(spec, 500, 375, Rng(i));
    for (const int value : {plan.x.begin, plan.x.size, plan.y.begin, plan.y.size}) {
      hash = Mix64(hash + static_cast<uint64_t>(value));
    }
  }
  EXPECT_EQ(hash, 14434319248174865962u);
}

TEST(CropBoxTest, FallsBackToTheLargestCentredBox) {
  ImageSpec spec = Spec(Crop::kRandomResized, 64, 64);
  spec.area = {1, 1};  // with these strips no try fits
  CropPlan plan = PlanCrop(spec, 1000, 10, Rng(0));
  EXPECT_EQ(plan.x, (AxisPlan{493, 13, 64, 0, 64}));
  EXPECT_EQ(plan.y, (AxisPlan{0, 10, 64, 0, 64}));
  plan = PlanCrop(spec, 10, 1000, Rng(0));
  EXPECT_EQ(plan.x, (AxisPlan{0, 10, 64, 0, 64}));
  EXPECT_EQ(plan.y, (AxisPlan{493, 13, 64, 0, 64}));
  plan = PlanCrop(spec, 1, 1, Rng(0));
  EXPECT_EQ(plan.x.size, 1);
  spec.ratio = {100, 100};
  plan = PlanCrop(spec, 1, 50, Rng(0));  // 1 / 100 rounds to nothing
  EXPECT_EQ(plan.y.size, 1);
}

TEST(CropBoxTest, FlipsAsOftenAsAsked) {
  ImageSpec spec = Spec(Crop::kNone, 8, 8);
  const auto flips = [&spec] {
    int count = 0;
    for (uint64_t i = 0; i < 10'000; ++i) count += PlanCrop(spec, 10, 10, Rng(i)).flip;
    return count;
  };
  EXPECT_EQ(flips(), 0);
  spec.flip = 1;
  EXPECT_EQ(flips(), 10'000);
  spec.flip = 0.25;
  EXPECT_NEAR(flips(), 2500, 200);
}

}  // namespace
}  // namespace bucketline
