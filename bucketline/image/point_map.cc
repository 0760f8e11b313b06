#include "bucketline/image/point_map.h"

namespace bucketline {

PointMap MapToRow(const ImageGeometry& geometry, const ImageSize& row) {
  double x_scale = row.width / geometry.box_width;
  double x_offset = -geometry.box_left * x_scale;
  const double y_scale = row.height / geometry.box_height;
  if (geometry.flipped) {
    x_scale = -x_scale;
    x_offset = row.width - x_offset;
  }
  return {static_cast<float>(x_scale),  0,
          static_cast<float>(x_offset), 0,
          static_cast<float>(y_scale),  static_cast<float>(-geometry.box_top * y_scale)};
}

}  // namespace bucketline
