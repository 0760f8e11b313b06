#include "bucketline/loader/open_batch.h"

#include "bucketline/loader/batch_storage.h"

namespace bucketline {
namespace {

void FillLabels(const Dataset& dataset, Batch::Storage& storage) {
  storage.label_kind = dataset.label_kind();
  storage.label_width = dataset.label_width();
  switch (storage.label_kind) {
    case LabelKind::kNone:
      break;
    case LabelKind::kClass:
    case LabelKind::kInteger:
      for (const uint64_t index : storage.indices)
        storage.integer_labels.push_back(dataset.LabelInteger(index));
      break;
    case LabelKind::kFloat:
    case LabelKind::kVector:
      for (const uint64_t index : storage.indices) {
        for (size_t column = 0; column < storage.label_width; ++column) {
          storage.float_labels.push_back(dataset.LabelFloat(index, column));
        }
      }
      break;
  }
}

}  // namespace

OpenBatch::OpenBatch(uint64_t the_sequence, BatchPlan the_plan)
    : sequence(the_sequence), plan(std::move(the_plan)), rows(plan.rows.size()), pending(plan.rows.size()) {
  for (size_t i = 0; i < rows.size(); ++i) rows[i].record = plan.rows[i].record;
}

void OpenBatch::Note(uint32_t row, Error row_error) {
  if (!error || row < error->first) error.emplace(row, std::move(row_error));
}

void OpenBatch::Finish(uint32_t row, std::optional<Error> row_error) {
  --pending;
  if (row_error) Note(row, *std::move(row_error));
}

Batch Assemble(OpenBatch& open, const Dataset& dataset, const Plan& plan, const ImageSpec* images,
               uint64_t fingerprint) {
  auto storage = std::make_shared<Batch::Storage>();
  for (size_t i = 0; i < open.rows.size(); ++i) {
    storage->indices.push_back(open.rows[i].record);
    storage->manifest_indices.push_back(dataset.manifest_index(open.rows[i].record));
    storage->valid.push_back(open.plan.rows[i].valid && !open.rows[i].masked ? 1 : 0);
  }
  FillLabels(dataset, *storage);
  storage->manifests = dataset.manifests();
  storage->position = open.plan.position;
  storage->state = {.epoch = open.plan.epoch,
                    .position = open.plan.next_position,
                    .seed = plan.config().seed,
                    .shuffle = plan.config().shuffle,
                    .fingerprint = fingerprint};
  storage->raw = std::move(open.raw);
  storage->block = std::move(open.block);
  if (images != nullptr) {
    storage->spec = *images;
    storage->spec.height = open.height;
    storage->spec.width = open.width;
    storage->pixel_bytes = open.row_bytes * open.rows.size();
    if (storage->block != nullptr) storage->pixels = {storage->block, storage->block->data()};
  }
  return Batch(std::move(storage));
}

}  // namespace bucketline
