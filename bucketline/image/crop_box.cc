#include "bucketline/image/crop_box.h"

#include <algorithm>
#include <cmath>

#include "bucketline/image/stable_math.h"

namespace bucketline {
namespace {

constexpr int kTries = 10;

// Python's round(): halves go to the even neighbour.
int64_t RoundHalfEven(double x) {
  const double below = std::floor(x);
  const double rest = x - below;
  const auto whole = static_cast<int64_t>(below);
  if (rest > 0.5 || (rest == 0.5 && whole % 2 != 0)) return whole + 1;
  return whole;
}

AxisPlan Stretch(int begin, int size, int out) { return {begin, size, out, 0, out}; }

struct Box {
  int left, top, width, height;
};

// The largest centred box with an allowed ratio.
Box FallbackBox(const ImageSpec& spec, int width, int height) {
  const double ratio = static_cast<double>(width) / height;
  Box box{0, 0, width, height};
  if (ratio < spec.ratio[0]) {
    box.height = static_cast<int>(std::max<int64_t>(RoundHalfEven(width / spec.ratio[0]), 1));
  } else if (ratio > spec.ratio[1]) {
    box.width = static_cast<int>(std::max<int64_t>(RoundHalfEven(height * spec.ratio[1]), 1));
  }
  box.left = (width - box.width) / 2;
  box.top = (height - box.height) / 2;
  return box;
}

Box RandomBox(const ImageSpec& spec, int width, int height, CounterRng& rng) {
  const auto uniform = [&rng](double low, double high) { return low + (high - low) * rng.NextDouble(); };
  const double pixels = static_cast<double>(width) * height;
  const double log_low = StableLog(spec.ratio[0]);
  const double log_high = StableLog(spec.ratio[1]);
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const double area = pixels * uniform(spec.area[0], spec.area[1]);
    const double ratio = StableExp(uniform(log_low, log_high));
    const int64_t box_width = RoundHalfEven(std::sqrt(area * ratio));
    const int64_t box_height = RoundHalfEven(std::sqrt(area / ratio));
    if (box_width > 0 && box_width <= width && box_height > 0 && box_height <= height) {
      Box box{0, 0, static_cast<int>(box_width), static_cast<int>(box_height)};
      box.top = static_cast<int>(rng.NextBelow(static_cast<uint64_t>(height - box_height + 1)));
      box.left = static_cast<int>(rng.NextBelow(static_cast<uint64_t>(width - box_width + 1)));
      return box;
    }
  }
  return FallbackBox(spec, width, height);
}

// torchvision's Resize(short side) then CenterCrop(height, width).
void PlanCenter(const ImageSpec& spec, int width, int height, CropPlan* plan) {
  const int short_side = spec.ShortSide();
  const auto longer = [short_side](int long_size, int short_size) {
    return static_cast<int64_t>(static_cast<double>(short_side) * long_size / short_size);
  };
  const int64_t resized_width = width <= height ? short_side : longer(width, height);
  const int64_t resized_height = width <= height ? longer(height, width) : short_side;
  const auto offset = [](int64_t whole, int part) {
    return RoundHalfEven(static_cast<double>(whole - part) / 2);
  };
  plan->x = {0, width, resized_width, offset(resized_width, spec.width), spec.width};
  plan->y = {0, height, resized_height, offset(resized_height, spec.height), spec.height};
}

}  // namespace

CropPlan PlanCrop(const ImageSpec& spec, int width, int height, CounterRng rng) {
  CropPlan plan;
  plan.flip = rng.NextDouble() < spec.flip;
  switch (spec.crop) {
    case Crop::kNone:
      plan.x = Stretch(0, width, spec.width > 0 ? spec.width : width);
      plan.y = Stretch(0, height, spec.height > 0 ? spec.height : height);
      break;
    case Crop::kCenter:
      PlanCenter(spec, width, height, &plan);
      break;
    case Crop::kRandomResized: {
      const Box box = RandomBox(spec, width, height, rng);
      plan.x = Stretch(box.left, box.width, spec.width);
      plan.y = Stretch(box.top, box.height, spec.height);
      break;
    }
  }
  return plan;
}

ImageGeometry CropPlan::Geometry(int source_width, int source_height) const {
  const auto first = [](const AxisPlan& axis) {
    return axis.begin + static_cast<double>(axis.out_begin) * axis.size / static_cast<double>(axis.resized);
  };
  const auto extent = [](const AxisPlan& axis) {
    return static_cast<double>(axis.out_size) * axis.size / static_cast<double>(axis.resized);
  };
  return {source_width, source_height, first(x), first(y), extent(x), extent(y), flip};
}

}  // namespace bucketline
