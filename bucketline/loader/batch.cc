#include "bucketline/loader/batch.h"

#include "bucketline/loader/batch_storage.h"

namespace bucketline {

uint32_t Batch::rows() const { return static_cast<uint32_t>(storage_->indices.size()); }
uint8_t* Batch::pixels() const { return static_cast<uint8_t*>(storage_->pixels.get()); }
size_t Batch::pixel_bytes() const { return storage_->pixel_bytes; }
const ImageSpec& Batch::spec() const { return storage_->spec; }
const std::shared_ptr<void>& Batch::owner() const { return storage_->pixels; }
const Bytes& Batch::raw(uint32_t row) const { return storage_->raw[row]; }

LabelKind Batch::label_kind() const { return storage_->label_kind; }
std::span<const int64_t> Batch::integer_labels() const { return storage_->integer_labels; }
std::span<const float> Batch::float_labels() const { return storage_->float_labels; }
size_t Batch::label_width() const { return storage_->label_width; }

std::span<const uint64_t> Batch::indices() const { return storage_->indices; }
std::span<const uint8_t> Batch::valid() const { return storage_->valid; }
std::string Batch::Key(uint32_t row) const {
  return storage_->manifests.Key(storage_->manifest_indices[row]);
}

uint64_t Batch::epoch() const { return storage_->state.epoch; }
uint64_t Batch::position() const { return storage_->position; }
LoaderState Batch::State() const { return storage_->state; }

}  // namespace bucketline
