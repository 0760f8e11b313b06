// PointMap: where the points of an image lie in the row that a decode made of it; for boxes and key points.
#pragma once

#include <array>

#include "bucketline/image/decoder.h"

namespace bucketline {

// {a, b, c, d, e, f}: the point (x, y) of the image, as shown if spec.orient and as stored else, lies at
// (a x + b y + c, d x + e y + f) of the row. Both in pixels, x to the right and y down from the top left corner
// of the top left pixel, whose centre is (0.5, 0.5): the convention of the resize families. Crop box, resize,
// padding and flip are in it; b and d are 0. Points that were cut off lie outside the row.
using PointMap = std::array<float, 6>;

// `row` is the size of the row that the decode filled.
PointMap MapToRow(const ImageGeometry& geometry, const ImageSize& row);

}  // namespace bucketline
