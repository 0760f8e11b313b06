#include "bucketline/loader/batch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bucketline/base/error.h"
#include "bucketline/loader/batch_storage.h"

namespace bucketline {

const std::string& BatchField::name() const { return storage_->name; }
uint8_t* BatchField::pixels() const { return static_cast<uint8_t*>(storage_->pixels.get()); }
size_t BatchField::pixel_bytes() const { return storage_->pixel_bytes; }
const ImageSpec& BatchField::spec() const { return storage_->spec; }
const std::shared_ptr<void>& BatchField::owner() const { return storage_->pixels; }
std::span<const float> BatchField::geometry() const { return storage_->geometry; }
std::span<const int32_t> BatchField::source_sizes() const { return storage_->source_sizes; }
const Bytes& BatchField::raw(uint32_t row) const { return storage_->raw[row]; }

uint32_t Batch::rows() const { return static_cast<uint32_t>(storage_->indices.size()); }
size_t Batch::field_count() const { return storage_->fields.size(); }
BatchField Batch::field(size_t number) const { return BatchField(storage_->fields[number]); }

BatchField Batch::field(std::string_view name) const {
  std::vector<std::string_view> names;
  for (const auto& field : storage_->fields) {
    if (field->name == name) return BatchField(field);
    names.push_back(field->name);
  }
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("the batch has no field \"{}\", only \"{}\"", name, fmt::join(names, "\", \"")));
}

uint8_t* Batch::pixels() const { return field(0).pixels(); }
size_t Batch::pixel_bytes() const { return storage_->fields.front()->pixel_bytes; }
const ImageSpec& Batch::spec() const { return storage_->fields.front()->spec; }
const std::shared_ptr<void>& Batch::owner() const { return storage_->fields.front()->pixels; }
std::span<const float> Batch::geometry() const { return storage_->fields.front()->geometry; }
std::span<const int32_t> Batch::source_sizes() const { return storage_->fields.front()->source_sizes; }
const Bytes& Batch::raw(uint32_t row) const { return storage_->fields.front()->raw[row]; }
bool Batch::has_values() const { return !storage_->values.empty(); }
const std::shared_ptr<void>& Batch::value(uint32_t row) const { return storage_->values[row]; }

LabelKind Batch::label_kind() const { return storage_->label_kind; }
std::span<const int64_t> Batch::integer_labels() const { return storage_->integer_labels; }
std::span<const float> Batch::float_labels() const { return storage_->float_labels; }
size_t Batch::label_width() const { return storage_->label_width; }

std::span<const uint64_t> Batch::indices() const { return storage_->indices; }
std::span<const uint8_t> Batch::valid() const { return storage_->valid; }
std::string Batch::Key(uint32_t row) const {
  if (!storage_->keys.empty()) return storage_->keys[row];
  return storage_->manifests.Key(storage_->manifest_indices[row]);
}

uint64_t Batch::epoch() const { return storage_->state.epoch; }
uint64_t Batch::position() const { return storage_->position; }
LoaderState Batch::State() const { return storage_->state; }

}  // namespace bucketline
