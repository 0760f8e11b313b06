// Pipeline: what becomes of a row once its bytes are there.
#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"
#include "bucketline/loader/pipeline.h"
#include "bucketline/loader/skip_policy.h"

namespace bucketline {
namespace {

Result<ImageInfo> ProbeWithin(std::span<const uint8_t> data, uint64_t max_pixels) {
  Result<ImageInfo> info = Catch([&] { return ProbeImage(data); });
  if (!info) return info;
  const uint64_t pixels = static_cast<uint64_t>(info->width) * static_cast<uint64_t>(info->height);
  if (pixels <= max_pixels) return info;
  return Error(ErrorCode::kResourceExhausted,
               fmt::format("the image has {} x {} = {} pixels and max_pixels is {}", info->width,
                           info->height, pixels, max_pixels));
}

}  // namespace

void Pipeline::RunWorker() {
  const uint64_t kept_each = parts_.layout.kept / parts_.options.threads;
  DecodeWorker worker({.kept_each = kept_each, .large = &scratch_, .common = parts_.common});
  while (std::optional<DecodeJob> job = queue_.Pop()) Process(*std::move(job), worker);
}

void Pipeline::Process(DecodeJob job, DecodeWorker& worker) {
  const Result<ImageInfo> info = ProbeWithin(job.fetched.bytes.span(), parts_.options.image.max_pixels);
  if (!info) {
    job.fetched = {};
    HandleBad(*job.batch, job.row, info.error());
    return;
  }
  if (ReadyToDecode(job, *info)) Decode(std::move(job), *info, worker);
}

void Pipeline::Decode(DecodeJob job, const ImageInfo& info, DecodeWorker& worker) {
  OpenBatch& batch = *job.batch;
  const RowPlan& plan = batch.plan.rows[job.row];
  const std::string_view problem = "decoding needs more scratch than the loader's memory has";
  const Result<uint64_t> scratch =
      Catch([&] { return uint64_t{ImageDecoder::ScratchBytes(info, parts_.options.image)}; });
  if (!scratch || *scratch > scratch_.capacity()) {
    const Error error =
        scratch ? Error(ErrorCode::kResourceExhausted,
                        fmt::format("{}: {} for an image of {} x {}; the minimum for it is a memory of {} "
                                    "bytes",
                                    problem, FormatByteSize(*scratch), info.width, info.height,
                                    MemoryForScratch(parts_.needs, *scratch)))
                : scratch.error();
    job.fetched = {};
    FinishRow(batch, job.row, error);
    return;
  }
  const Result<uint8_t*> pixels = Catch([&] { return batch.RowPixels(job.row); });
  if (!pixels) {
    job.fetched = {};
    FinishRow(batch, job.row, pixels.error());
    return;
  }
  const SteadyTime start = Clock::Real().Now();
  const Duration cpu = ThreadCpuTime();
  const Result<bool> decoded = Catch([&] {
    const CounterRng rng(parts_.plan.config().seed, batch.plan.epoch, plan.position);
    return worker.Decode(job.fetched.bytes.span(), info, parts_.options.image, rng,
                         {*pixels, batch.row_bytes}, stop_.get_token());
  });
  parts_.stats->CountDecode(Clock::Real().Now() - start, ThreadCpuTime() - cpu);
  job.fetched = {};  // bytes and lease, before anybody is told
  if (!decoded && IsFaultOfBytes(decoded.error())) {
    HandleBad(batch, job.row, decoded.error());
  } else if (!decoded) {
    FinishRow(batch, job.row, decoded.error());
  } else if (*decoded) {
    FinishGood(batch, job.row);
  }  // else stopped: nobody waits for the row any more
}

void Pipeline::FinishGood(OpenBatch& batch, uint32_t row) {
  OpenRow& open = batch.rows[row];
  if (open.bad) open.bad->replaced_by = UriOf(open.record);
  FinishRow(batch, row, Report(batch, row));
}

void Pipeline::HandleBad(OpenBatch& batch, uint32_t row, const Error& reason) {
  const RowPlan& plan = batch.plan.rows[row];
  OpenRow& open = batch.rows[row];
  if (parts_.options.on_error == OnError::kRaise) {
    const Error advised(reason.code(), reason.message() + "; on_error skip or mask goes on without it");
    FinishRow(batch, row, advised);
    return;
  }
  if (!open.bad) {
    const std::string uri = UriOf(plan.record);
    open.bad = {.epoch = batch.plan.epoch,
                .position = plan.position,
                .uri = uri,
                .reason = reason.message(),
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
    const Result<void> zeroed = Catch([&] { std::memset(batch.RowPixels(row), 0, batch.row_bytes); });
    if (!zeroed) {
      FinishRow(batch, row, zeroed.error());
      return;
    }
  }
  FinishRow(batch, row, Report(batch, row));
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
      open.record =
          ReplacementRecord(config.seed, batch.plan.epoch, plan.position, open.tries++, config.records);
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
  return Error(told.error().code(), "on_bad_sample failed: " + told.error().message());
}

// For reports and errors, which must come through even when the manifest cannot be read.
std::string Pipeline::UriOf(uint64_t record) const {
  const Result<std::string> uri = Catch([&] { return parts_.dataset.UriAt(record); });
  return uri ? *uri : parts_.dataset.source();
}

void Pipeline::FinishRow(OpenBatch& batch, uint32_t row, std::optional<Error> error) {
  if (error && error->uri().empty()) {
    const OpenRow& open = batch.rows[row];
    error = error->WithUri(open.bad ? open.bad->uri : UriOf(open.record));
  }
  {
    std::lock_guard lock(mutex_);
    if (error && !batch.sized && sizes_rows() && row == batch.size_row) {
      --batch.pending;
      KillLocked(batch, *std::move(error));
    } else {
      batch.Finish(row, std::move(error));
    }
    if (batch.finished()) front_finished_.notify_all();
  }
  if (sizes_rows()) GrantSlots();  // a finished batch no longer keeps later ones from their turn
}

}  // namespace bucketline
