// StreamPipeline: reading samples in order, and what each batch needs for them.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"
#include "bucketline/image/probe.h"
#include "bucketline/loader/probe_fields.h"
#include "bucketline/loader/stream_pipeline.h"

namespace bucketline {
namespace {

constexpr size_t kMostOpenBatches = 64;             // bounds the bookkeeping where batches are small
constexpr size_t kLongestLabel = size_t{64} << 10;  // bytes; what is longer is no label
constexpr size_t kLabelPlace = 1;                   // among a sample's records

[[noreturn]] void ThrowStopped() { throw Error(ErrorCode::kCancelled, "the loader was stopped"); }

Error NotALabel(const Stream& stream, uint64_t sample, std::string_view what) {
  return Error(
      ErrorCode::kInvalidArgument,
      fmt::format(
          "record 2 of sample {} should be its label, and is {}: the attributes of this channel do not "
          "come as {}; give AttributeNames and attributes alike, or open it without labels",
          sample, what, fmt::join(stream.options().attributes, ", ")),
      stream.source());
}

}  // namespace

void StreamPipeline::RunReader() {
  const Result<void> done = Catch([&] {
    const Stream& stream = *parts_.stream;
    PipeSource source(stream.place(), parts_.epoch, stream.options().patience, stop_.get_token());
    {
      std::lock_guard lock(mutex_);
      fifo_ = source.number();
    }
    Discard(source);
    while (ReadBatch(source)) {
    }
  });
  if (!done) Fail(done.error());
  std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

// Reads again what a restored run has used already.
void StreamPipeline::Discard(PipeSource& source) {
  if (parts_.start == 0) return;
  const Stream& stream = *parts_.stream;
  std::string message = fmt::format(
      "resuming epoch {} of {}: a stream has no way to its middle, so {} samples are read "
      "again and discarded",
      parts_.epoch, stream.source(), parts_.start);
  if (source.number() != parts_.epoch) {
    message += fmt::format(", from FIFO {}: with a ShuffleConfig these are other samples than the first time",
                           source.number());
  }
  stream.runtime().log()(LogLevel::kWarning, message);
  const uint64_t records = parts_.start * stream.options().attributes.size();
  for (uint64_t i = 0; i < records; ++i) {
    if (source.records().Skip()) continue;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("this state stands at sample {} of its epoch, and the stream has {}",
                            parts_.start, source.records().records() / stream.options().attributes.size()),
                source.path());
  }
}

// False at the end of the stream.
bool StreamPipeline::ReadBatch(PipeSource& source) {
  std::unique_ptr<StreamBatch> opened = OpenBatchAt(next_);
  StreamBatch& batch = *opened;
  if (!sizes_rows()) GiveSlot(batch.open, LayOutTensors(parts_.fields, {}, batch.open.rows.size()));
  const auto rows = static_cast<uint32_t>(batch.open.rows.size());
  for (uint32_t row = 0; row < rows; ++row) {
    std::optional<Sample> sample = ReadSample(source, batch);
    if (!sample) {
      if (row > 0) EndWithin(batch, row);
      return false;
    }
    {
      std::lock_guard lock(mutex_);
      ++batch.samples;
      batch.labels[row] = std::move(sample->label);
      batch.label_kind = parts_.labels->kind();
      batch.label_width = parts_.labels->width();
      if (opened != nullptr) open_.push_back(std::move(opened));
    }
    const Result<void> handed = Catch([&] { Hand(batch, row, *std::move(sample)); });
    if (handed) continue;
    FinishRow(batch, row, handed.error());
    throw handed.error();
  }
  next_ += rows;
  return true;
}

std::unique_ptr<StreamBatch> StreamPipeline::OpenBatchAt(uint64_t position) {
  {
    std::unique_lock lock(mutex_);
    if (!taken_.wait(lock, stop_.get_token(), [&] { return open_.size() < kMostOpenBatches; }))
      ThrowStopped();
  }
  BatchPlan plan{.epoch = parts_.epoch, .position = position, .next_position = 0, .rows = {}};
  for (uint64_t i = 0; i < parts_.options->batch_size; ++i) {
    plan.rows.push_back({.position = position + i, .record = position + i});
  }
  return std::make_unique<StreamBatch>(opened_++, std::move(plan), parts_.fields);
}

void StreamPipeline::GiveSlot(OpenBatch& open, TensorLayout layout) {
  std::optional<Reservation> own = slots_.Acquire(layout.bytes, stop_.get_token());
  if (!own) ThrowStopped();
  std::optional<Reservation> common = parts_.common->Acquire(layout.bytes, stop_.get_token());
  if (!common) ThrowStopped();
  open.slot = {.own = *std::move(own), .common = *std::move(common)};
  if (AnyDecodes(parts_.fields)) open.block = parts_.pool->Take(layout.bytes);
  open.layout = std::move(layout);
  std::lock_guard lock(mutex_);
  open.granted = open.sized = true;
}

// nullopt at the end of the stream.
std::optional<StreamPipeline::Sample> StreamPipeline::ReadSample(PipeSource& source, StreamBatch& batch) {
  const std::vector<std::string>& attributes = parts_.stream->options().attributes;
  const uint64_t number = batch.open.plan.position + batch.samples;
  Sample sample;
  sample.parts.resize(parts_.fields.size());
  for (size_t place = 0; place < attributes.size(); ++place) {
    if (ReadAttribute(source, batch, place, sample)) continue;
    if (place == 0) return std::nullopt;
    throw Error(
        ErrorCode::kCorruptData,
        fmt::format(
            "the stream ends after {} of the {} records of sample {}: its attributes do not come as {}; "
            "give AttributeNames and attributes alike",
            place, attributes.size(), number, fmt::join(attributes, ", ")),
        source.path());
  }
  const Duration waited = source.waited();
  parts_.stats->CountFetch(sample.bytes, waited - std::exchange(counted_wait_, waited));
  return sample;
}

// False at the end of the stream.
bool StreamPipeline::ReadAttribute(PipeSource& source, StreamBatch& batch, size_t place, Sample& sample) {
  const bool labels = parts_.stream->options().labels;
  if (labels && place == kLabelPlace) {
    std::optional<StreamLabel> label = ReadLabel(source, batch.open.plan.position + batch.samples);
    if (!label) return false;
    sample.label = *std::move(label);
    return true;
  }
  const size_t part = labels && place > kLabelPlace ? place - 1 : place;
  const auto field =
      std::ranges::find_if(parts_.fields, [&](const Field& each) { return each.part == part; });
  if (field == parts_.fields.end()) return source.records().Skip();
  std::optional<Fetched> read = ReadPart(source, batch, sample.bytes);
  if (!read) return false;
  sample.bytes += read->bytes.size();
  if (!field->decode) batch.raw_bytes += read->bytes.size();
  sample.parts[static_cast<size_t>(field - parts_.fields.begin())] = *std::move(read);
  return true;
}

// `of_sample`: what its parts so far hold.
std::optional<Fetched> StreamPipeline::ReadPart(PipeSource& source, const StreamBatch& batch,
                                                uint64_t of_sample) {
  Fetched read;
  uint64_t held = of_sample + batch.raw_bytes;  // a raw part of this sample counts twice: on the safe side
  std::optional<Bytes> bytes = source.records().Next([&](size_t size) {
    if (held + size > fetch_.capacity()) {
      throw Error(
          ErrorCode::kResourceExhausted,
          fmt::format(
              "sample {} needs {} more, and the loader's memory for samples, {}, holds {} of its batch "
              "already; give more memory, {} or so, or use smaller batches",
              batch.open.plan.position + batch.samples, FormatByteSize(size),
              FormatByteSize(fetch_.capacity()), FormatByteSize(held), FormatByteSize(4 * (held + size))),
          source.path());
    }
    held += size;
    std::optional<Reservation> own = fetch_.Acquire(size, stop_.get_token());
    if (!own) ThrowStopped();
    read.lease.own.Merge(*std::move(own));
    if (AnyDecodes(parts_.fields)) {
      std::optional<Reservation> common = parts_.common->Acquire(size, stop_.get_token());
      if (!common) ThrowStopped();
      read.lease.common.Merge(*std::move(common));
    }
    return buffers_->Take(size);
  });
  if (!bytes) return std::nullopt;
  read.bytes = *std::move(bytes);
  return read;
}

std::optional<StreamLabel> StreamPipeline::ReadLabel(PipeSource& source, uint64_t sample) {
  const std::optional<Bytes> text = source.records().Next([&](size_t size) {
    if (size > kLongestLabel) throw NotALabel(*parts_.stream, sample, FormatByteSize(size) + " long");
    return std::shared_ptr<uint8_t[]>(new uint8_t[size]);
  });
  if (!text) return std::nullopt;
  if (Catch([&] { return ProbeImage(text->span()); })) throw NotALabel(*parts_.stream, sample, "an image");
  const Result<StreamLabel> label = Catch([&] { return parts_.labels->Parse(text->view()); });
  if (!label) throw label.error().WithUri(UriOf(sample));
  return *label;
}

void StreamPipeline::Hand(StreamBatch& batch, uint32_t row, Sample sample) {
  if (works_on_rows_) {
    if (!batch.open.granted && !SizeBatch(batch, row, sample.parts)) return;
    queue_.Push({.batch = &batch.open, .row = row, .parts = std::move(sample.parts)});
    return;
  }
  for (size_t i = 0; i < sample.parts.size(); ++i) {
    batch.open.tensors[i].raw[row] = std::move(sample.parts[i].bytes);
    std::lock_guard lock(mutex_);
    batch.raw_leases.push_back(std::move(sample.parts[i].lease));
  }
  FinishRow(batch, row);
}

// The first image gives its batch the size. False when it is no image, and the row is finished.
bool StreamPipeline::SizeBatch(StreamBatch& batch, uint32_t row, const std::vector<Fetched>& parts) {
  std::vector<ImageInfo> infos(parts_.fields.size());
  if (const std::optional<FieldFault> fault = ProbeFields(parts_.fields, parts, {}, infos)) {
    HandleBad(batch, row, *fault, parts);
    return false;
  }
  TensorLayout layout = LayOutTensors(parts_.fields, OwnSizes(parts_.fields, infos), batch.open.rows.size());
  if (layout.bytes > slots_.capacity()) {
    throw Error(
        ErrorCode::kResourceExhausted,
        fmt::format(
            "a batch of {} images of this size ({} x {}) takes {}, more than the loader's memory has for "
            "batches; a memory of {} bytes is enough",
            batch.open.rows.size(), layout.fields.front().height, layout.fields.front().width,
            FormatByteSize(layout.bytes), 4 * layout.bytes),
        UriOf(batch.open.plan.rows[row].position));
  }
  GiveSlot(batch.open, std::move(layout));
  for (uint32_t earlier = 0; earlier < row; ++earlier) {
    if (batch.open.rows[earlier].masked) batch.open.ClearRow(earlier);
  }
  return true;
}

// The stream ended after so many rows.
void StreamPipeline::EndWithin(StreamBatch& batch, uint32_t rows) {
  std::lock_guard lock(mutex_);
  batch.dropped = *parts_.options->last == LastPolicy::kDrop;
  batch.LeaveOutFrom(rows);
  changed_.notify_all();
}

// Everything that came before is delivered first.
void StreamPipeline::Fail(const Error& error) {
  std::lock_guard lock(mutex_);
  failure_ = error;
  if (open_.empty()) return;
  StreamBatch& last = *open_.back();
  if (last.samples == last.open.rows.size()) return;
  last.open.Note(static_cast<uint32_t>(last.samples), error);
  last.LeaveOutFrom(static_cast<uint32_t>(last.samples));
}

}  // namespace bucketline
