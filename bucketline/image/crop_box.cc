#include "bucketline/image/crop_box.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "bucketline/base/error.h"
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

// Pillow's ImageOps.pad: the side that fits exactly stays, the other is rounded, and so is its offset.
void PlanPillowPad(const ImageSpec& spec, int width, int height, CropPlan* plan) {
  int64_t out_width = spec.width;
  int64_t out_height = spec.height;
  const double ratio = static_cast<double>(width) / height;
  const double wanted = static_cast<double>(spec.width) / spec.height;
  if (ratio > wanted) {
    out_height = RoundHalfEven(static_cast<double>(height) / width * spec.width);
  } else if (ratio < wanted) {
    out_width = RoundHalfEven(static_cast<double>(width) / height * spec.height);
  }
  const auto fit = [](int size, int64_t out, int row) {
    const auto kept = static_cast<int>(std::clamp<int64_t>(out, 1, row));
    AxisPlan axis = Stretch(0, size, kept);
    axis.pad = static_cast<int>(RoundHalfEven((row - kept) * 0.5));
    axis.row_size = row;
    return axis;
  };
  plan->x = fit(width, out_width, spec.width);
  plan->y = fit(height, out_height, spec.height);
}

// tf.image.resize_with_pad, in its float32.
void PlanTensorflowPad(const ImageSpec& spec, int width, int height, CropPlan* plan) {
  const float ratio = std::max(static_cast<float>(width) / static_cast<float>(spec.width),
                               static_cast<float>(height) / static_cast<float>(spec.height));
  const auto fit = [ratio](int size, int row) {
    const float resized = static_cast<float>(size) / ratio;
    AxisPlan axis = Stretch(0, size, std::clamp(static_cast<int>(std::floor(resized)), 1, row));
    const int pad = static_cast<int>(std::floor((static_cast<float>(row) - resized) / 2));
    axis.pad = std::clamp(pad, 0, row - axis.out_size);
    axis.row_size = row;
    return axis;
  };
  plan->x = fit(width, spec.width);
  plan->y = fit(height, spec.height);
}

void PlanBox(const ImageSpec& spec, int width, int height, CropPlan* plan) {
  const PixelBox& box = spec.box;
  if (box.width > width - box.left || box.height > height - box.top) {
    throw Error(ErrorCode::kInvalidArgument,
                "the box (left " + std::to_string(box.left) + ", top " + std::to_string(box.top) +
                    ", width " + std::to_string(box.width) + ", height " + std::to_string(box.height) +
                    ") leaves the image, which has " + std::to_string(width) + " x " +
                    std::to_string(height) + " pixels");
  }
  plan->x = Stretch(box.left, box.width, spec.width);
  plan->y = Stretch(box.top, box.height, spec.height);
}

// What Pillow 13 does (earlier ones always took the horizontal pass first).
bool VerticalFirst(const CropPlan& plan) {
  return plan.y.resized < plan.y.size && 2 * (plan.x.size - plan.x.resized) < plan.y.size - plan.y.resized;
}

AxisPlan Mirror(AxisPlan axis, int size) {
  axis.begin = size - axis.begin - axis.size;
  axis.mirrored = true;
  return axis;
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
    case Crop::kPad:
      if (spec.family == ResizeFamily::kPillow) {
        PlanPillowPad(spec, width, height, &plan);
      } else {
        PlanTensorflowPad(spec, width, height, &plan);
      }
      break;
    case Crop::kBox:
      PlanBox(spec, width, height, &plan);
      break;
  }
  return plan;
}

// displayed (x, y) comes from stored (s, t): EXIF 2.32, table 6.
SourcePlan OrientPlan(const CropPlan& plan, int orientation, int width, int height) {
  const bool mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  SourcePlan source;
  source.transposed = orientation >= 5;
  source.x = source.transposed ? plan.y : plan.x;
  source.y = source.transposed ? plan.x : plan.y;
  if (mirror_x) source.x = Mirror(source.x, width);
  if (mirror_y) source.y = Mirror(source.y, height);
  source.reverse_x = plan.flip && !source.transposed;
  source.descending = mirror_y != (plan.flip && source.transposed);
  source.vertical_first = VerticalFirst(plan) != source.transposed;
  return source;
}

AxisPlan ScaleAxis(const AxisPlan& axis, int denominator, int scaled_size) {
  AxisPlan scaled = axis;
  const double first = static_cast<double>(axis.begin) / denominator;
  const double last = static_cast<double>(axis.begin + axis.size) / denominator;
  scaled.begin = static_cast<int>(first);
  scaled.size = std::min(static_cast<int>(std::ceil(last)), scaled_size) - scaled.begin;
  scaled.extent = last - first;
  const double before = first - scaled.begin;
  scaled.inset = axis.mirrored ? scaled.size - before - scaled.extent : before;
  return scaled;
}

ImageGeometry CropPlan::Geometry(int source_width, int source_height) const {
  const auto first = [](const AxisPlan& axis) {
    return axis.begin +
           static_cast<double>(axis.out_begin - axis.pad) * axis.size / static_cast<double>(axis.resized);
  };
  ImageGeometry geometry;
  geometry.source_width = source_width;
  geometry.source_height = source_height;
  geometry.box_left = first(x);
  geometry.box_top = first(y);
  geometry.box_width = static_cast<double>(x.RowSize()) * x.size / static_cast<double>(x.resized);
  geometry.box_height = static_cast<double>(y.RowSize()) * y.size / static_cast<double>(y.resized);
  geometry.flipped = flip;
  return geometry;
}

}  // namespace bucketline
