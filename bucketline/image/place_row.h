// PlaceRow: where in a batch's row the part lies that a CropPlan makes.
#pragma once

#include <cstdint>
#include <span>

#include "bucketline/image/crop_box.h"
#include "bucketline/image/emit_row.h"
#include "bucketline/image/spec.h"

namespace bucketline {

// `source`: how its rows of levels come; the default: as they are shown, from the top.
Placement PlaceRow(const CropPlan& plan, const SourcePlan& source = {});

// Throws kInvalidArgument when `row` has another size or alignment than the placed row of `spec` needs.
void RequireRow(const Placement& place, const ImageSpec& spec, std::span<const uint8_t> row);

}  // namespace bucketline
