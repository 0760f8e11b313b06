// What the bytes of a record's parts say of themselves, before any of them is decoded.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "bucketline/dataset/fetcher.h"
#include "bucketline/image/decoder.h"
#include "bucketline/loader/field.h"
#include "bucketline/loader/pixel_tier.h"

namespace bucketline {

// By field: fills `infos` of those that are decoded, or gives what is wrong with the bytes: not those that were
// indexed, no image, one over the limits
// of its spec, or two that should be of one size and are not. `pixels`, by field or empty: those that were found need no bytes.
std::optional<FieldFault> ProbeFields(std::span<const Field> fields, std::span<const Fetched> parts,
                                      std::span<const KeptPixels> pixels, std::span<ImageInfo> infos);

// By field, for LayOutTensors: the size of the rows where the field's spec has none.
std::vector<ImageSize> OwnSizes(std::span<const Field> fields, std::span<const ImageInfo> infos);

}  // namespace bucketline
