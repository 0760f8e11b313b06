// Pipeline: what becomes of a row once its bytes are there.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/loader/pipeline.h"
#include "bucketline/loader/probe_fields.h"
#include "bucketline/loader/skip_policy.h"

namespace bucketline {
void Pipeline::RunWorker() {
  RowMaker maker(parts_.ToolsForRows(scratch_));
  while (std::optional<DecodeJob> job = queue_.Pop()) Process(*std::move(job), maker);
}

void Pipeline::Process(DecodeJob job, RowMaker& maker) {
  std::vector<ImageInfo> infos(parts_.fields.size());
  if (const std::optional<FieldFault> fault =
          ProbeFields(parts_.fields, job.parts, job.batch->rows[job.row].pixels, infos)) {
    job.parts.clear();  // bytes and leases, before anybody is told
    HandleBad(*job.batch, job.row, *fault);
    return;
  }
  if (ReadyToDecode(job, infos)) MakeRow(std::move(job), std::move(infos), maker);
}

void Pipeline::MakeRow(DecodeJob job, std::vector<ImageInfo> infos, RowMaker& maker) {
  OpenBatch& batch = *job.batch;
  const uint32_t row = job.row;
  RowSource source{.bytes = {}, .infos = std::move(infos), .pixels = batch.rows[row].pixels};
  for (const Fetched& part : job.parts) source.bytes.push_back(part.bytes);
  std::optional<RowError> failed;
  const Result<RowOutcome> outcome = Catch([&] {
    try {
      return maker.Make(batch, row, source, stop_.get_token());
    } catch (const TransformError& error) {  // of the record that it saw
      failed.emplace(error.WithUri(UriOf(batch.rows[row].record)), error.cause());
      throw;
    }
  });
  source = {};
  job.parts.clear();
  if (failed) {
    FinishRow(batch, row, std::move(failed));
  } else if (!outcome) {
    FinishRow(batch, row, outcome.error());
  } else if (outcome->end == RowEnd::kBad) {
    HandleBad(batch, row, *outcome->fault);
  } else if (outcome->end == RowEnd::kGone) {
    AskAgain(batch, row);
  } else if (outcome->end == RowEnd::kMade) {
    FinishGood(batch, row);
  }  // else stopped: nobody waits for the row any more
}

void Pipeline::FinishGood(OpenBatch& batch, uint32_t row) {
  OpenRow& open = batch.rows[row];
  if (open.bad) open.bad->replaced_by = UriOf(open.record);
  std::optional<Error> failed = Report(batch, row);
  FinishRow(batch, row, failed ? std::optional<RowError>(*std::move(failed)) : std::nullopt);
}

void Pipeline::HandleBad(OpenBatch& batch, uint32_t row, const FieldFault& fault) {
  const RowPlan& plan = batch.plan.rows[row];
  OpenRow& open = batch.rows[row];
  const auto [uri, reason] = Describe(plan.record, fault);
  if (parts_.options.on_error == OnError::kRaise) {
    FinishRow(batch, row,
              Error(fault.error.code(), reason + "; on_error skip or mask goes on without it", uri));
    return;
  }
  if (!open.bad) {
    open.bad = {.epoch = batch.plan.epoch,
                .position = plan.position,
                .uri = uri,
                .reason = reason,
                .replaced_by = {}};
  }
  if (parts_.options.on_error == OnError::kMask) {
    Mask(batch, row);
  } else {
    Replace(batch, row);
  }
}

void Pipeline::Mask(OpenBatch& batch, uint32_t row) {
  bool has_pixels = false;
  {
    std::lock_guard lock(mutex_);
    batch.rows[row].masked = true;
    has_pixels = batch.granted;  // else the row is zeroed when there are
    if (!batch.sized && !batch.dead) MoveSizeRowLocked(batch);
  }
  if (has_pixels) {
    const Result<void> zeroed = Catch([&] { batch.ClearRow(row); });
    if (!zeroed) {
      FinishRow(batch, row, zeroed.error());
      return;
    }
  }
  std::optional<Error> failed = Report(batch, row);
  FinishRow(batch, row, failed ? std::optional<RowError>(*std::move(failed)) : std::nullopt);
}

void Pipeline::Replace(OpenBatch& batch, uint32_t row) {
  const RowPlan& plan = batch.plan.rows[row];
  OpenRow& open = batch.rows[row];
  if (open.tries == kReplacementTries) {
    FinishRow(batch, row,
              Error(ErrorCode::kCorruptData,
                    fmt::format("{}; and none of the {} records drawn in its place could be used either",
                                open.bad->reason, kReplacementTries)));
    return;
  }
  const Plan::Config& config = parts_.plan.config();
  {
    std::lock_guard lock(mutex_);
    if (!batch.dead) {
      open.from_bytes = false;
      open.record =
          ReplacementRecord(config.seed, batch.plan.epoch, plan.position, open.tries++, config.records);
      replacements_.emplace(batch.sequence, row);
      replacement_wanted_.notify_all();
      return;
    }
  }
  FinishRow(batch, row);
}

// The row's pixels were in the cache, and are not any more.
void Pipeline::AskAgain(OpenBatch& batch, uint32_t row) {
  {
    std::lock_guard lock(mutex_);
    if (!batch.dead) {
      batch.rows[row].from_bytes = true;
      replacements_.emplace(batch.sequence, row);
      replacement_wanted_.notify_all();
      return;
    }
  }
  FinishRow(batch, row);
}

// Tells the user of a sample that was skipped or masked. Rows that only fill up are some other row's sample.
std::optional<Error> Pipeline::Report(const OpenBatch& batch, uint32_t row) const {
  const std::optional<BadSample>& bad = batch.rows[row].bad;
  if (!bad || !batch.plan.rows[row].valid || !parts_.options.on_bad_sample) return std::nullopt;
  const Result<void> told = Catch([&] { parts_.options.on_bad_sample(*bad); });
  if (told) return std::nullopt;
  return Error(told.error().code(), "on_bad_sample failed: " + std::string(told.error().what()));
}

// Which object is at fault, and why.
std::pair<std::string, std::string> Pipeline::Describe(uint64_t record, const FieldFault& fault) const {
  const std::string& message = fault.error.message();
  if (!fault.field || parts_.options.fields.empty()) return {UriOf(record), message};
  const Field& field = parts_.fields[*fault.field];
  return {UriOf(record, field.part), fmt::format("\"{}\": {}", field.name, message)};
}

// For reports and errors, which must come through even when the manifest cannot be read.
std::string Pipeline::UriOf(uint64_t record, size_t part) const {
  const Result<std::string> uri = Catch([&] { return parts_.dataset.UriAt(record, part); });
  return uri ? *uri : parts_.dataset.source();
}

void Pipeline::FinishRow(OpenBatch& batch, uint32_t row, std::optional<RowError> error) {
  if (error && error->error.uri().empty()) {
    const OpenRow& open = batch.rows[row];
    error->error = error->error.WithUri(open.bad ? open.bad->uri : UriOf(open.record));
  }
  bool finished = false;
  {
    std::lock_guard lock(mutex_);
    if (error && !batch.sized && sizes_rows() && row == batch.size_row) {
      --batch.pending;
      KillLocked(batch, *std::move(error));
    } else {
      batch.Finish(row, std::move(error));
    }
    finished = batch.finished();
    if (finished) front_finished_.notify_all();
  }
  if (finished && parks_rows()) GrantSlots();  // a finished batch no longer keeps later ones from their turn
}

}  // namespace bucketline
