#include "bucketline/image/place_row.h"

#include <string>

#include "bucketline/base/error.h"

namespace bucketline {

Placement PlaceRow(const CropPlan& plan, const SourcePlan& source) {
  Placement place;
  place.width = plan.x.RowSize();
  place.height = plan.y.RowSize();
  place.part_width = plan.x.out_size;
  place.part_height = plan.y.out_size;
  place.left = plan.flip ? place.width - plan.x.pad - plan.x.out_size : plan.x.pad;
  place.top = plan.y.pad;
  place.descending = source.descending;
  place.transposed = source.transposed;
  return place;
}

void RequireRow(const Placement& place, const ImageSpec& spec, std::span<const uint8_t> row) {
  const size_t needed = static_cast<size_t>(place.width) * static_cast<size_t>(place.height) *
                        static_cast<size_t>(spec.channels) * spec.BytesPerValue();
  if (row.size() != needed) {
    throw Error(ErrorCode::kInvalidArgument,
                "the row has " + std::to_string(row.size()) + " bytes, but " + std::to_string(place.height) +
                    " x " + std::to_string(place.width) + " pixels need " + std::to_string(needed) +
                    (spec.height == 0 ? "; images of several sizes need an image size" : ""));
  }
  if (reinterpret_cast<uintptr_t>(row.data()) % spec.BytesPerValue() != 0) {
    throw Error(ErrorCode::kInvalidArgument, "the row is not aligned for its value type");
  }
}

}  // namespace bucketline
