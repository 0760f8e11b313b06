#include "bucketline/loader/field.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bucketline/base/result.h"
#include "bucketline/loader/batch_pool.h"

namespace bucketline {

namespace {

[[noreturn]] void Refuse(const Field& field, const std::string& what) {
  throw Error(ErrorCode::kInvalidArgument, fmt::format("LoaderOptions::fields: \"{}\" {}", field.name, what));
}

std::string Quoted(std::span<const std::string> names) {
  return fmt::format("\"{}\"", fmt::join(names, "\", \""));
}

size_t PartOf(const Field& field, std::span<const std::string> parts) {
  const auto found = std::find(parts.begin(), parts.end(), field.name);
  if (found == parts.end()) Refuse(field, "is no part of the records, which have " + Quoted(parts));
  return static_cast<size_t>(found - parts.begin());
}

void ShareGeometry(const LoaderOptions& options, std::vector<Field>& fields) {
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string& other = options.fields[i].same_geometry_as;
    if (other.empty()) continue;
    const auto found =
        std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == other; });
    if (found == fields.end())
      Refuse(fields[i], fmt::format("has the geometry of \"{}\", which is no field", other));
    const auto like = static_cast<size_t>(found - fields.begin());
    if (!fields[i].decode || !found->decode)
      Refuse(fields[i], "shares a geometry, which raw bytes do not have");
    if (!options.fields[like].same_geometry_as.empty() || like == i) {
      Refuse(fields[i], fmt::format("has the geometry of \"{}\", which has none of its own", other));
    }
    const ImageSpec shared = fields[i].image.WithGeometryOf(found->image);
    if (fields[i].image != fields[i].image.WithGeometryOf(ImageSpec{}) && fields[i].image != shared) {
      Refuse(fields[i],
             fmt::format("has the geometry of \"{}\" and one of its own: leave size, crop, flip, orient "
                         "and family of its ImageSpec as they are",
                         other));
    }
    fields[i].image = shared;
    fields[i].like = like;
  }
}

}  // namespace

std::vector<Field> FieldsOf(const std::vector<std::string>& part_names, const LoaderOptions& options) {
  std::vector<Field> fields;
  if (options.fields.empty()) {
    fields.push_back({.name = {}, .part = 0, .decode = options.decode, .image = options.image});
    if (options.decode) options.image.Validate();
    return fields;
  }
  for (const FieldOptions& wanted : options.fields) {
    Field field{.name = wanted.part, .part = 0, .decode = wanted.decode, .image = wanted.image};
    field.part = PartOf(field, part_names);
    for (const Field& other : fields) {
      if (other.name == field.name) Refuse(field, "is there twice");
    }
    fields.push_back(std::move(field));
  }
  ShareGeometry(options, fields);
  for (const Field& field : fields) {
    if (!field.decode) continue;
    const Result<void> valid = Catch([&] { field.image.Validate(); });
    if (!valid) Refuse(field, "is not possible: " + valid.error().message());
    if (field.image.height == 0 && AnyRaw(fields)) {
      Refuse(field, "stands next to a raw field and so needs ImageSpec::height and width");
    }
  }
  return fields;
}

std::optional<FieldFault> SizesThatDiffer(std::span<const Field> fields, std::span<const ImageInfo> infos) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i].like) continue;
    const size_t like = *fields[i].like;
    const ImageSize size = OwnSize(infos[i], fields[i].image);
    const ImageSize wanted = OwnSize(infos[like], fields[like].image);
    if (size.height == wanted.height && size.width == wanted.width) continue;
    return FieldFault{
        i, Error(ErrorCode::kCorruptData,
                 fmt::format("it has {} x {} pixels (height x width), but the sample's \"{}\", whose "
                             "geometry it must have, has {} x {}",
                             size.height, size.width, fields[like].name, wanted.height, wanted.width))};
  }
  return std::nullopt;
}

bool AnyDecodes(std::span<const Field> fields) {
  return std::any_of(fields.begin(), fields.end(), [](const Field& field) { return field.decode; });
}

bool AnyRaw(std::span<const Field> fields) {
  return std::any_of(fields.begin(), fields.end(), [](const Field& field) { return !field.decode; });
}

bool WorksOnRows(const LoaderOptions& options, std::span<const Field> fields, bool has_checksums) {
  return AnyDecodes(fields) || options.transform != nullptr || has_checksums;
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
