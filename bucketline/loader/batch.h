// Batch: what Loader::Next gives: complete rows of pixels (or bytes) and labels. Shared, immutable to the
// engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/base/bytes.h"
#include "bucketline/image/spec.h"
#include "bucketline/records/manifest.h"
#include "bucketline/sampler/sampling.h"

namespace bucketline {

// Where a run stands: plain numbers, the same on all ranks. Resuming costs the same anywhere.
struct LoaderState {
  uint64_t epoch = 0;
  uint64_t position =
      0;  // the first position of the epoch that is not consumed; of a stream, its samples so far
  uint64_t seed = 0;
  bool shuffle = false;
  uint64_t fingerprint = 0;  // of the dataset
  Sampling sampling = Sampling::kAll;
  uint64_t epoch_size = 0;  // LoaderOptions::epoch_size
  uint64_t mix = 0;         // Mix::fingerprint() of LoaderOptions::mix; 0 but for kMix
  uint64_t window = 0;      // LoaderOptions::window

  std::string ToJson() const;
  // Throws kInvalidArgument saying what is wrong.
  static LoaderState FromJson(std::string_view json);
  friend bool operator==(const LoaderState&, const LoaderState&) = default;
};

// One field of a batch: a view that keeps the batch's memory.
class BatchField {
 public:
  const std::string& name() const;  // "" without LoaderOptions::fields

  // Pixels: rows * spec().RowBytes() bytes, 64-byte aligned, in spec().layout and spec().type. Null for raw fields
  // and for batches of values.
  uint8_t* pixels() const;
  size_t pixel_bytes() const;
  const ImageSpec& spec() const;               // height and width are those of the rows
  const std::shared_ptr<void>& owner() const;  // keeps pixels() alive; for zero-copy views

  // Of decoded rows: rows * 6 floats, a row's PointMap (image/point_map.h), from the points of its image, as shown if
  // spec().orient and as stored else, to those of its row. rows * 2 integers, the height and width of that image.
  // Both 0 for masked rows; those of the record that is there for rows that only fill up; empty for raw fields.
  std::span<const float> geometry() const;
  std::span<const int32_t> source_sizes() const;

  // Raw fields: the part's bytes by row; empty for masked rows.
  const Bytes& raw(uint32_t row) const;

  struct Storage;
  explicit BatchField(std::shared_ptr<const Storage> storage) : storage_(std::move(storage)) {}

 private:
  std::shared_ptr<const Storage> storage_;
};

// A cheap handle; copies share the memory, which lives until the last one goes, also after the Loader is
// closed. The engine never writes it again: it is the user's to read and to write.
class Batch {
 public:
  uint32_t rows() const;  // padded ones included

  // As LoaderOptions::fields has them; one without a name where it has none.
  size_t field_count() const;
  BatchField field(size_t number) const;          // precondition: number < field_count()
  BatchField field(std::string_view name) const;  // throws kInvalidArgument naming those there are

  // Those of the first field.
  uint8_t* pixels() const;
  size_t pixel_bytes() const;
  const ImageSpec& spec() const;
  const std::shared_ptr<void>& owner() const;
  std::span<const float> geometry() const;
  std::span<const int32_t> source_sizes() const;
  const Bytes& raw(uint32_t row) const;

  // Batches of a LoaderOptions::transform that gives values have these instead of pixels and bytes; nullptr for
  // masked rows.
  bool has_values() const;
  const std::shared_ptr<void>& value(uint32_t row) const;  // precondition: has_values()

  LabelKind label_kind() const;
  std::span<const int64_t> integer_labels() const;  // rows() of them, for kClass and kInteger
  std::span<const float> float_labels() const;      // rows() * label_width(), for kFloat and kVector
  size_t label_width() const;

  std::span<const uint64_t> indices() const;  // record numbers in the Dataset, by row: what is really there
  std::span<const uint8_t> valid() const;     // 0 marks padding and masked rows
  // Of a stream, which has no keys: the FIFO's name and the sample's number, "train_0#17".
  std::string Key(uint32_t row) const;

  uint64_t epoch() const;
  uint64_t position() const;  // the first position of the global step
  LoaderState State() const;  // the state after this batch was used

  struct Storage;
  explicit Batch(std::shared_ptr<Storage> storage) : storage_(std::move(storage)) {}

 private:
  std::shared_ptr<Storage> storage_;
};

}  // namespace bucketline
