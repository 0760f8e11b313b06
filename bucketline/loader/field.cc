#include "bucketline/loader/field.h"

#include <algorithm>

#include "bucketline/loader/batch_pool.h"

namespace bucketline {

std::vector<Field> FieldsOf(const LoaderOptions& options) {
  return {{.name = {}, .decode = options.decode, .image = options.image}};
}

bool AnyDecodes(std::span<const Field> fields) {
  return std::any_of(fields.begin(), fields.end(), [](const Field& field) { return field.decode; });
}

bool WorksOnRows(const LoaderOptions& options, std::span<const Field> fields) {
  return AnyDecodes(fields) || options.transform != nullptr;
}

TensorLayout LayOutTensors(std::span<const Field> fields, std::span<const ImageSize> own_sizes, size_t rows) {
  TensorLayout layout;
  for (size_t i = 0; i < fields.size(); ++i) {
    TensorPlace& place = layout.fields.emplace_back();
    const ImageSpec& image = fields[i].image;
    if (!fields[i].decode) continue;
    const bool own = image.height == 0;
    place.height = own ? own_sizes[i].height : image.height;
    place.width = own ? own_sizes[i].width : image.width;
    place.row_bytes = static_cast<size_t>(place.height) * static_cast<size_t>(place.width) *
                      static_cast<size_t>(image.channels) * image.BytesPerValue();
    place.offset = (layout.bytes + kBatchAlignment - 1) / kBatchAlignment * kBatchAlignment;
    layout.bytes = place.offset + rows * place.row_bytes;
  }
  return layout;
}

}  // namespace bucketline
