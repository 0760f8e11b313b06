#include "bucketline/loader/open_batch.h"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

#include "bucketline/image/point_map.h"
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

// Without a block there are no pixels: of values, and where no row's size is known.
std::shared_ptr<const BatchField::Storage> TakeField(OpenBatch& open, size_t index, const Field& field,
                                                     const std::shared_ptr<BatchPool::Block>& block) {
  OpenTensor& made = open.tensors[index];
  auto storage = std::make_shared<BatchField::Storage>();
  storage->name = field.name;
  storage->spec = field.image;
  storage->geometry = std::move(made.geometry);
  storage->source_sizes = std::move(made.source_sizes);
  storage->raw = std::move(made.raw);
  if (!field.decode || open.layout.fields.empty()) return storage;
  const TensorPlace& place = open.layout.fields[index];
  storage->spec.height = place.height;
  storage->spec.width = place.width;
  if (block == nullptr) return storage;
  storage->pixel_bytes = place.row_bytes * open.rows.size();
  storage->pixels = {block, static_cast<uint8_t*>(block->data()) + place.offset};
  return storage;
}

}  // namespace

void OpenTensor::SetGeometry(uint32_t row, const ImageGeometry& done, const ImageSize& row_size) {
  const PointMap map = MapToRow(done, row_size);
  std::copy(map.begin(), map.end(), geometry.begin() + static_cast<ptrdiff_t>(row * map.size()));
  source_sizes[size_t{row} * 2] = done.source_height;
  source_sizes[size_t{row} * 2 + 1] = done.source_width;
}

OpenBatch::OpenBatch(uint64_t the_sequence, BatchPlan the_plan, std::span<const Field> fields)
    : sequence(the_sequence),
      plan(std::move(the_plan)),
      rows(plan.rows.size()),
      pending(plan.rows.size()),
      tensors(fields.size()) {
  for (size_t i = 0; i < rows.size(); ++i) rows[i].record = plan.rows[i].record;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].decode) {
      tensors[i].geometry.resize(rows.size() * std::tuple_size_v<PointMap>);
      tensors[i].source_sizes.resize(rows.size() * 2);
    } else {
      tensors[i].raw.resize(rows.size());
    }
  }
}

void OpenBatch::ClearRow(uint32_t row) {
  rows[row].made = OpenRow::Made::kNothing;
  rows[row].value.reset();
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors[i].raw.empty()) {
      tensors[i].raw[row] = {};
      continue;
    }
    std::fill_n(tensors[i].geometry.begin() + static_cast<ptrdiff_t>(row * std::tuple_size_v<PointMap>),
                std::tuple_size_v<PointMap>, 0.0f);
    std::fill_n(tensors[i].source_sizes.begin() + ptrdiff_t{2} * row, 2, 0);
    std::memset(RowPixels(i, row), 0, layout.fields[i].row_bytes);
  }
}

void OpenBatch::Note(uint32_t row, RowError row_error) {
  if (!error || row < error->first) error.emplace(row, std::move(row_error));
}

void OpenBatch::Finish(uint32_t row, std::optional<RowError> row_error) {
  --pending;
  if (row_error) Note(row, *std::move(row_error));
}

std::optional<uint32_t> OpenBatch::FirstMade(OpenRow::Made made) const {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].made == made) return static_cast<uint32_t>(i);
  }
  return std::nullopt;
}

std::vector<std::shared_ptr<const BatchField::Storage>> TakeFields(
    OpenBatch& open, std::span<const Field> fields, const std::shared_ptr<BatchPool::Block>& block) {
  std::vector<std::shared_ptr<const BatchField::Storage>> taken;
  taken.reserve(fields.size());
  for (size_t i = 0; i < fields.size(); ++i) taken.push_back(TakeField(open, i, fields[i], block));
  return taken;
}

Batch Assemble(OpenBatch& open, const Dataset& dataset, const Plan& plan, std::span<const Field> fields,
               uint64_t fingerprint, bool values) {
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
                    .fingerprint = fingerprint,
                    .sampling = plan.config().sampling,
                    .epoch_size = plan.config().epoch_size,
                    .mix = plan.mix_fingerprint(),
                    .window = plan.window()};
  if (values) {
    for (OpenRow& row : open.rows) storage->values.push_back(std::move(row.value));
  } else {
    storage->block = std::move(open.block);
    storage->counted = std::move(open.counted);
  }
  storage->fields = TakeFields(open, fields, storage->block);
  return Batch(std::move(storage));
}

}  // namespace bucketline
