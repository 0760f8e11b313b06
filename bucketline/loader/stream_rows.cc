// StreamPipeline: what becomes of a row once its sample is there.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/loader/probe_fields.h"
#include "bucketline/loader/stream_pipeline.h"

namespace bucketline {
namespace {

constexpr size_t kLongestWord = 32;  // bytes of what may be a label where an image should be

bool LooksLikeALabel(std::span<const Fetched> parts, const FieldFault& fault) {
  if (!fault.field) return false;
  const std::string_view text = parts[*fault.field].bytes.view();
  return !text.empty() && text.size() <= kLongestWord &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

void StreamPipeline::RunWorker() {
  RowMaker maker({.options = parts_.options,
                  .fields = parts_.fields,
                  .needs = parts_.needs,
                  .kept = parts_.layout.kept,
                  .large = &scratch_,
                  .common = parts_.common,
                  .stats = parts_.stats});
  while (std::optional<DecodeJob> job = queue_.Pop()) Process(*std::move(job), maker);
}

void StreamPipeline::Process(DecodeJob job, RowMaker& maker) {
  StreamBatch* batch = nullptr;
  {
    std::lock_guard lock(mutex_);
    batch = open_[job.batch->sequence - open_.front()->open.sequence].get();
  }
  std::vector<ImageInfo> infos(parts_.fields.size());
  if (const std::optional<FieldFault> fault = ProbeFields(parts_.fields, job.parts, {}, infos)) {
    HandleBad(*batch, job.row, *fault, job.parts);
    return;
  }
  const TensorLayout& wanted = batch->open.layout;
  if (sizes_rows() &&
      LayOutTensors(parts_.fields, OwnSizes(parts_.fields, infos), batch->open.rows.size()) != wanted) {
    FinishRow(
        *batch, job.row,
        Error(
            ErrorCode::kInvalidArgument,
            "this image has not the size of the first one of its batch; give the image's size for images of "
            "several sizes"));
    return;
  }
  MakeRow(*batch, std::move(job), std::move(infos), maker);
}

void StreamPipeline::MakeRow(StreamBatch& batch, DecodeJob job, std::vector<ImageInfo> infos,
                             RowMaker& maker) {
  const uint32_t row = job.row;
  RowSource source{.bytes = {}, .infos = std::move(infos), .pixels = {}};
  for (const Fetched& part : job.parts) source.bytes.push_back(part.bytes);
  const Result<RowOutcome> outcome =
      Catch([&] { return maker.Make(batch.open, row, source, stop_.get_token()); });
  source = {};
  if (!outcome) {
    FinishRow(batch, row, outcome.error());
  } else if (outcome->end == RowEnd::kBad) {
    HandleBad(batch, row, *outcome->fault, job.parts);
  } else if (outcome->end == RowEnd::kMade) {
    {
      std::lock_guard lock(mutex_);
      for (size_t i = 0; i < job.parts.size(); ++i) {
        if (!parts_.fields[i].decode) batch.raw_leases.push_back(std::move(job.parts[i].lease));
      }
    }
    job.parts.clear();  // bytes and leases, before anybody is told
    FinishRow(batch, row);
  }  // else stopped: nobody waits for the row any more
}

void StreamPipeline::HandleBad(StreamBatch& batch, uint32_t row, const FieldFault& fault,
                               std::span<const Fetched> parts) {
  OpenRow& open = batch.open.rows[row];
  const uint64_t sample = batch.open.plan.rows[row].position;
  std::string reason = fault.error.message();
  if (fault.field && !parts_.options->fields.empty())
    reason = fmt::format("\"{}\": {}", parts_.fields[*fault.field].name, reason);
  if (LooksLikeALabel(parts, fault))
    reason += "; it looks like a label: open the channel with labels if it has them";
  if (parts_.options->on_error == OnError::kRaise) {
    FinishRow(
        batch, row,
        Error(fault.error.code(), reason + "; on_error skip or mask goes on without it", UriOf(sample)));
    return;
  }
  std::optional<Error> failed;
  {
    std::lock_guard lock(mutex_);
    open.bad = {
        .epoch = parts_.epoch, .position = sample, .uri = UriOf(sample), .reason = reason, .replaced_by = {}};
    open.masked = parts_.options->on_error == OnError::kMask;
    batch.left_out[row] = open.masked ? 0 : 1;
  }
  if (open.masked && batch.open.granted) {  // else once there are pixels
    const Result<void> cleared = Catch([&] { batch.open.ClearRow(row); });
    if (!cleared) failed = cleared.error();
  }
  if (!failed) failed = Report(batch, row);
  FinishRow(batch, row, std::move(failed));
}

// Tells the user of a sample that was skipped or masked.
std::optional<Error> StreamPipeline::Report(const StreamBatch& batch, uint32_t row) const {
  if (!parts_.options->on_bad_sample) return std::nullopt;
  const Result<void> told = Catch([&] { parts_.options->on_bad_sample(*batch.open.rows[row].bad); });
  if (told) return std::nullopt;
  return Error(told.error().code(), "on_bad_sample failed: " + std::string(told.error().what()));
}

void StreamPipeline::FinishRow(StreamBatch& batch, uint32_t row, std::optional<Error> error) {
  if (error && error->uri().empty()) error = error->WithUri(UriOf(batch.open.plan.rows[row].position));
  std::lock_guard lock(mutex_);
  batch.open.Finish(row, error ? std::optional<RowError>(*std::move(error)) : std::nullopt);
  if (batch.open.finished()) changed_.notify_all();
}

std::string StreamPipeline::UriOf(uint64_t sample) const {
  return fmt::format("{}#{}", parts_.stream->place().Fifo(fifo_), sample);
}

}  // namespace bucketline
