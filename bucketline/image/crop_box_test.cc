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
    EXPECT_NEAR(StableSinPi(x / 5), std::sin(3.14159265358979323846 * (x / 5)), 4e-15) << x;
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

// Sizes and offsets of ImageOps.pad: halves to even.
TEST(CropBoxTest, PadFitsInsideAsPillow) {
  ImageSpec spec = Spec(Crop::kPad, 100, 100);
  CropPlan plan = PlanCrop(spec, 200, 100, Rng(0));
  EXPECT_EQ(plan.x.out_size, 100);
  EXPECT_EQ(plan.y.out_size, 50);
  EXPECT_EQ(plan.y.pad, 25);
  EXPECT_EQ(plan.y.RowSize(), 100);
  plan = PlanCrop(spec, 100, 33, Rng(0));  // 67 left: 33.5 goes to 34
  EXPECT_EQ(plan.y.out_size, 33);
  EXPECT_EQ(plan.y.pad, 34);
  plan = PlanCrop(spec, 3, 60'000, Rng(0));  // 0.005 columns
  EXPECT_EQ(plan.x.out_size, 1);
}

TEST(CropBoxTest, PadFitsInsideAsTensorflow) {
  ImageSpec spec = Spec(Crop::kPad, 100, 100);
  spec.family = ResizeFamily::kTensorflow;
  CropPlan plan = PlanCrop(spec, 100, 33, Rng(0));
  EXPECT_EQ(plan.y.out_size, 33);
  EXPECT_EQ(plan.y.pad, 33);
  plan = PlanCrop(spec, 300, 100, Rng(0));  // 33.33
  EXPECT_EQ(plan.y.out_size, 33);
  EXPECT_EQ(plan.y.pad, 33);
}

TEST(CropBoxTest, PadNeverLeavesTheRow) {
  for (const ResizeFamily family : {ResizeFamily::kPillow, ResizeFamily::kTensorflow}) {
    ImageSpec spec = Spec(Crop::kPad, 31, 77);
    spec.family = family;
    for (int width = 1; width < 200; width += 3) {
      for (int height = 1; height < 200; height += 7) {
        const CropPlan plan = PlanCrop(spec, width, height, Rng(0));
        for (const AxisPlan* axis : {&plan.x, &plan.y}) {
          ASSERT_GE(axis->pad, 0);
          ASSERT_GE(axis->out_size, 1);
          ASSERT_LE(axis->pad + axis->out_size, axis->RowSize());
        }
        ASSERT_TRUE(plan.x.out_size == 77 || plan.y.out_size >= 30) << width << " " << height;
      }
    }
  }
}

TEST(CropBoxTest, ScaledAxesKeepTheBox) {
  CounterRng rng(1, 0, 0);
  for (int i = 0; i < 500; ++i) {
    const int whole = 10 + static_cast<int>(rng.NextBelow(500));
    AxisPlan axis{0, 0, 20, 0, 20};
    axis.begin = static_cast<int>(rng.NextBelow(static_cast<uint64_t>(whole)));
    axis.size = 1 + static_cast<int>(rng.NextBelow(static_cast<uint64_t>(whole - axis.begin)));
    axis.mirrored = rng.NextBelow(2) == 1;
    const int denominator = 1 << rng.NextBelow(4);
    const int scaled_whole = (whole + denominator - 1) / denominator;
    const AxisPlan scaled = ScaleAxis(axis, denominator, scaled_whole);
    ASSERT_GE(scaled.begin, 0);
    ASSERT_GE(scaled.size, 1);
    ASSERT_LE(scaled.begin + scaled.size, scaled_whole);
    ASSERT_GE(scaled.inset, 0);
    ASSERT_LT(scaled.inset, 1);
    const double first =
        scaled.mirrored ? scaled.begin + scaled.size - scaled.inset : scaled.begin + scaled.inset;
    const double expected = axis.mirrored ? axis.begin + axis.size : axis.begin;
    ASSERT_NEAR(first * denominator, expected, 1e-9);
    ASSERT_NEAR(scaled.Extent() * denominator, axis.size, 1e-9);
  }
}

TEST(CropBoxTest, PassesGoAsInPillow) {
  const auto vertical = [](int width, int height, int out_width, int out_height) {
    return OrientPlan(PlanCrop(Spec(Crop::kNone, out_height, out_width), width, height, Rng(0)), 1, width,
                      height)
        .vertical_first;
  };
  // Seen in Pillow 13 by comparing with each order of two one-sided resizes.
  EXPECT_FALSE(vertical(200, 200, 100, 20));
  EXPECT_TRUE(vertical(200, 200, 120, 20));
  EXPECT_FALSE(vertical(200, 200, 180, 160));
  EXPECT_TRUE(vertical(200, 200, 199, 180));
  EXPECT_FALSE(vertical(200, 200, 400, 220));
  EXPECT_FALSE(vertical(200, 400, 20, 40));
  EXPECT_TRUE(vertical(200, 400, 40, 40));
  EXPECT_FALSE(vertical(400, 200, 300, 20));
}

}  // namespace
}  // namespace bucketline
