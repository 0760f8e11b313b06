// Field: one part of each record and what becomes of it: a tensor of a batch, or bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bucketline/base/error.h"
#include "bucketline/image/decoder.h"
#include "bucketline/image/spec.h"
#include "bucketline/loader/loader.h"

namespace bucketline {

struct Field {
  std::string name = {};  // "" where LoaderOptions has no fields
  size_t part = 0;        // in Record::parts
  bool decode = true;
  ImageSpec image = {};
  std::optional<size_t> like = {};  // the field whose geometry `image` has too
};

// Throws kInvalidArgument naming the field and what is wrong with it: a part that the records do not have, a field
// twice, same_geometry_as that cannot be, an ImageSpec that is out of range, sizes that are missing.
std::vector<Field> FieldsOf(const std::vector<std::string>& part_names, const LoaderOptions& options);

// What is wrong with a record: with the part of one field, or as a whole.
struct FieldFault {
  std::optional<size_t> field;
  Error error;
};

// The first field whose image is not as large as the one whose geometry it has.
std::optional<FieldFault> SizesThatDiffer(std::span<const Field> fields, std::span<const ImageInfo> infos);

bool AnyDecodes(std::span<const Field> fields);
bool AnyRaw(std::span<const Field> fields);
// Rows need decode threads: more happens to them than the arrival of their bytes.
bool WorksOnRows(const LoaderOptions& options, std::span<const Field> fields, bool has_checksums);

// Where the rows of one field lie in a batch's memory.
struct TensorPlace {
  int height = 0;  // all 0 for bytes
  int width = 0;
  size_t row_bytes = 0;
  size_t offset = 0;  // of its first row, aligned as the block is

  friend bool operator==(const TensorPlace&, const TensorPlace&) = default;
};

struct TensorLayout {
  std::vector<TensorPlace> fields;
  uint64_t bytes = 0;  // of the block

  friend bool operator==(const TensorLayout&, const TensorLayout&) = default;
};

// `own_sizes` by field: that of the rows where the field's spec has none; may be empty where all have one.
TensorLayout LayOutTensors(std::span<const Field> fields, std::span<const ImageSize> own_sizes, size_t rows);

}  // namespace bucketline
