#include "bucketline/loader/stream_batch.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "bucketline/loader/batch_storage.h"

namespace bucketline {
namespace {

constexpr size_t kMapValues = 6;  // of a row's geometry

template <typename T>
void MoveRow(std::vector<T>& rows, size_t width, size_t from, size_t to) {
  const auto begin = rows.begin() + static_cast<ptrdiff_t>(from * width);
  std::move(begin, begin + static_cast<ptrdiff_t>(width), rows.begin() + static_cast<ptrdiff_t>(to * width));
}

// `to` < `from`.
void MoveFields(OpenBatch& open, size_t from, size_t to) {
  for (size_t i = 0; i < open.tensors.size(); ++i) {
    OpenTensor& tensor = open.tensors[i];
    if (!tensor.raw.empty()) {
      MoveRow(tensor.raw, 1, from, to);
      continue;
    }
    MoveRow(tensor.geometry, kMapValues, from, to);
    MoveRow(tensor.source_sizes, 2, from, to);
    if (open.block == nullptr) continue;
    std::memcpy(open.RowPixels(i, static_cast<uint32_t>(to)), open.RowPixels(i, static_cast<uint32_t>(from)),
                open.layout.fields[i].row_bytes);
  }
}

void Shorten(OpenBatch& open, size_t rows) {
  open.rows.resize(rows);
  for (OpenTensor& tensor : open.tensors) {
    if (!tensor.raw.empty()) {
      tensor.raw.resize(rows);
      continue;
    }
    tensor.geometry.resize(rows * kMapValues);
    tensor.source_sizes.resize(rows * 2);
  }
}

void AddLabel(const StreamLabel& label, LabelKind kind, Batch::Storage& storage) {
  switch (kind) {
    case LabelKind::kNone:
      break;
    case LabelKind::kClass:
    case LabelKind::kInteger:
      storage.integer_labels.push_back(label.integer);
      break;
    case LabelKind::kFloat:
    case LabelKind::kVector:
      storage.float_labels.insert(storage.float_labels.end(), label.floats.begin(), label.floats.end());
      break;
  }
}

}  // namespace

void StreamBatch::LeaveOutFrom(uint32_t first) {
  for (size_t row = first; row < left_out.size(); ++row) left_out[row] = 1;
  open.pending -= left_out.size() - first;
}

Batch Assemble(StreamBatch& batch, const StreamFacts& facts, std::span<const Field> fields) {
  OpenBatch& open = batch.open;
  auto storage = std::make_shared<Batch::Storage>();
  storage->label_kind = batch.label_kind;
  storage->label_width = batch.label_width;
  size_t rows = 0;
  for (size_t row = 0; row < open.rows.size(); ++row) {
    if (batch.left_out[row] != 0) continue;
    const uint64_t sample = open.plan.rows[row].position;
    storage->indices.push_back(sample);
    storage->keys.push_back(fmt::format("{}#{}", facts.name, sample));
    storage->valid.push_back(open.rows[row].masked ? 0 : 1);
    AddLabel(batch.labels[row], batch.label_kind, *storage);
    if (row != rows) MoveFields(open, row, rows);
    ++rows;
  }
  Shorten(open, rows);
  storage->position = open.plan.position;
  storage->state = facts.state;
  storage->state.position = open.plan.position + batch.samples;
  storage->block = std::move(open.block);
  storage->counted = std::move(open.counted);
  storage->fields = TakeFields(open, fields, storage->block);
  return Batch(std::move(storage));
}

}  // namespace bucketline
