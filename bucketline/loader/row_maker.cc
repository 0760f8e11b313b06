#include "bucketline/loader/row_maker.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/units.h"
#include "bucketline/image/base_levels.h"
#include "bucketline/image/level_writer.h"
#include "bucketline/image/point_map.h"
#include "bucketline/loader/skip_policy.h"

namespace bucketline {
namespace {

// Adds the time it lives to one stage of the statistics.
class StageTimer {
 public:
  using Count = void (StatsCollector::*)(Duration wall, Duration cpu);
  StageTimer(StatsCollector& stats, Count count) : stats_(stats), count_(count) {}
  ~StageTimer() { (stats_.*count_)(Clock::Real().Now() - start_, ThreadCpuTime() - cpu_); }
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  StatsCollector& stats_;
  const Count count_;
  const SteadyTime start_ = Clock::Real().Now();
  const Duration cpu_ = ThreadCpuTime();
};

Error NeverFits(uint64_t scratch, const ImageInfo& info, const MemoryNeeds& needs) {
  return Error(
      ErrorCode::kResourceExhausted,
      fmt::format("decoding needs more scratch than the loader's memory has: {} for an image of {} x {}; the "
                  "minimum for it is a memory of {} bytes",
                  FormatByteSize(scratch), info.width, info.height, MemoryForScratch(needs, scratch)));
}

bool IsKept(const RowSource& source, size_t field) {
  return !source.pixels.empty() && source.pixels[field].cache != nullptr;
}

uint64_t BaseBytes(const ImageSpec& spec, const TensorPlace& place) {
  ImageSpec base = BaseOf(spec);
  base.height = place.height;
  base.width = place.width;
  return base.RowBytes();
}

}  // namespace

RowMaker::RowMaker(const RowTools& tools)
    : tools_(tools),
      worker_(
          {.kept_each = tools.kept / tools.options->threads, .large = tools.large, .common = tools.common}) {}

RowOutcome RowMaker::Make(OpenBatch& batch, uint32_t row, const RowSource& source, std::stop_token stop) {
  const Need need = NeedOf(batch, source);
  if (need.bytes > tools_.large->capacity())
    throw NeverFits(need.bytes, source.infos[need.largest], *tools_.needs);
  RowOutcome outcome{.end = RowEnd::kStopped};
  worker_.Run(
      need.bytes, [&](Workbench& bench) { outcome = Fill(batch, row, source, bench); }, std::move(stop));
  return outcome;
}

// Fields are decoded one after the other; for a transform the levels of all are there at the end. The base stays from field to
// field, and from row to row.
RowMaker::Need RowMaker::NeedOf(const OpenBatch& batch, const RowSource& source) const {
  Need need;
  uint64_t base = 0;
  for (size_t i = 0; i < tools_.fields.size(); ++i) {
    const Field& field = tools_.fields[i];
    if (!field.decode) continue;
    const TensorPlace& place = batch.layout.fields[i];
    uint64_t bytes = ScratchOf(source, i, place);
    if (tools_.options->transform) bytes += LevelWriter::ScratchBytes(field.image, place.height, place.width);
    if (bytes > need.bytes) need = {bytes, i};
    if (IsKept(source, i)) base = std::max(base, BaseBytes(SpecToDecode(field, *tools_.options), place));
  }
  need.bytes += base;
  if (tools_.options->transform) need.bytes += LevelsBefore(batch, tools_.fields.size());
  return need;
}

// What a field's decode uses beside the base.
uint64_t RowMaker::ScratchOf(const RowSource& source, size_t field, const TensorPlace& place) const {
  const ImageSpec& image = tools_.fields[field].image;
  if (!IsKept(source, field)) return ImageDecoder::ScratchBytes(source.infos[field], image);
  const ImageSpec spec = SpecToDecode(tools_.fields[field], *tools_.options);
  const uint64_t augment = LevelWriter::AugmentScratchBytes(spec, place.height, place.width);
  if (source.pixels[field].found) return augment;
  return augment + ImageDecoder::ScratchBytes(source.infos[field], BaseOf(spec));
}

RowOutcome RowMaker::Fill(OpenBatch& batch, uint32_t row, const RowSource& source, Workbench& bench) {
  if (tools_.options->transform) {
    const size_t levels = LevelsBefore(batch, tools_.fields.size());
    if (bench.levels.capacity() != levels) bench.levels = std::vector<uint8_t>(levels);
  }
  for (size_t i = 0; i < tools_.fields.size(); ++i) {
    if (!tools_.fields[i].decode) continue;
    const Result<RowEnd> decoded = Decode(batch, row, i, source, bench);
    if (!decoded) return {.end = RowEnd::kBad, .fault = FieldFault{i, decoded.error()}};
    if (*decoded != RowEnd::kMade) return {.end = *decoded};
  }
  if (tools_.options->transform) return Transform(batch, row, source, bench);
  for (size_t i = 0; i < tools_.fields.size(); ++i) {
    if (!tools_.fields[i].decode) batch.tensors[i].raw[row] = source.bytes[i];
  }
  batch.rows[row].made = OpenRow::Made::kPixels;
  return {};
}

// kMade or kGone, or the fault of the bytes, if they have one.
Result<RowEnd> RowMaker::Decode(OpenBatch& batch, uint32_t row, size_t field, const RowSource& source,
                                Workbench& bench) {
  const TensorPlace& place = batch.layout.fields[field];
  const ImageSpec spec = SpecToDecode(tools_.fields[field], *tools_.options);
  const std::span<uint8_t> target = tools_.options->transform
                                        ? LevelsOfField(batch, field, bench)
                                        : std::span(batch.RowPixels(field, row), place.row_bytes);
  const CounterRng rng(tools_.options->seed, batch.plan.epoch, batch.plan.rows[row].position);
  const Result<std::optional<ImageGeometry>> done = Catch([&]() -> std::optional<ImageGeometry> {
    if (IsKept(source, field)) return ByBase(source, field, spec, place, rng, target, bench);
    const StageTimer timer(*tools_.stats, &StatsCollector::CountDecode);
    return bench.decoder.DecodeInto(source.bytes[field].span(), spec, rng, target);
  });
  if (!done) {
    if (IsFaultOfBytes(done.error())) return done.error();
    throw done.error();
  }
  if (!*done) return RowEnd::kGone;
  batch.tensors[field].SetGeometry(row, **done, {place.height, place.width});
  return RowEnd::kMade;
}

// By way of the pixels that are kept: they are found, or made and then kept. nullopt when they were found and are gone.
std::optional<ImageGeometry> RowMaker::ByBase(const RowSource& source, size_t field, const ImageSpec& spec,
                                              const TensorPlace& place, CounterRng rng,
                                              std::span<uint8_t> target, Workbench& bench) {
  const KeptPixels& pixels = source.pixels[field];
  const uint64_t bytes = BaseBytes(spec, place);
  if (bench.base.size() != bytes) {
    std::vector<uint8_t>().swap(bench.base);  // before its successor comes
    bench.base.resize(bytes);
  }
  const auto count = [&](SteadyTime since) {
    tools_.stats->CountPixels(pixels.found, bytes, Clock::Real().Now() - since);
  };
  ImageSize shown{pixels.info.height, pixels.info.width};
  if (pixels.found) {
    const SteadyTime start = Clock::Real().Now();
    if (!PixelTier::Read(pixels, bench.base)) return std::nullopt;
    count(start);
  }
  ImageGeometry geometry;
  {
    const StageTimer timer(*tools_.stats, &StatsCollector::CountDecode);
    if (!pixels.found) {
      const ImageGeometry decoded =
          bench.decoder.DecodeInto(source.bytes[field].span(), BaseOf(spec), rng, bench.base);
      shown = {decoded.source_height, decoded.source_width};
    }
    geometry = bench.writer.Augment(spec, shown, rng, bench.base, target);
  }
  if (!pixels.found) {
    const SteadyTime start = Clock::Real().Now();
    PixelTier::Keep(pixels, geometry, bench.base);
    count(start);
  }
  return geometry;
}

// Bytes of the levels of the fields before this one.
size_t RowMaker::LevelsBefore(const OpenBatch& batch, size_t field) const {
  size_t bytes = 0;
  for (size_t i = 0; i < field; ++i)
    bytes += batch.layout.fields[i].row_bytes / tools_.fields[i].image.BytesPerValue();
  return bytes;
}

std::span<uint8_t> RowMaker::LevelsOfField(const OpenBatch& batch, size_t field, Workbench& bench) const {
  const size_t first = LevelsBefore(batch, field);
  return std::span(bench.levels).subspan(first, LevelsBefore(batch, field + 1) - first);
}

RowOutcome RowMaker::Transform(OpenBatch& batch, uint32_t row, const RowSource& source, Workbench& bench) {
  std::vector<TransformField> fields;
  for (size_t i = 0; i < tools_.fields.size(); ++i) {
    const Field& field = tools_.fields[i];
    TransformField& seen = fields.emplace_back();
    seen.name = field.name;
    if (field.decode) {
      seen.pixels = LevelsOfField(batch, i, bench);
      seen.height = batch.layout.fields[i].height;
      seen.width = batch.layout.fields[i].width;
      seen.channels = field.image.channels;
    } else {
      seen.bytes = source.bytes[i];
    }
  }
  TransformSample sample{.seed = tools_.options->seed,
                         .epoch = batch.plan.epoch,
                         .position = batch.plan.rows[row].position,
                         .index = batch.rows[row].record,
                         .dataset = *tools_.dataset,
                         .fields = fields};
  const TransformResult result = CallTransform(sample);
  switch (result.kind()) {
    case TransformResult::Kind::kSkip:
      return {.end = RowEnd::kBad,
              .fault = FieldFault{std::nullopt, Error(ErrorCode::kCorruptData,
                                                      "the transform skipped it: " + result.reason())}};
    case TransformResult::Kind::kValue:
      batch.rows[row].value = result.value();
      batch.rows[row].made = OpenRow::Made::kValue;
      return {};
    case TransformResult::Kind::kKeep:
      break;
  }
  Keep(batch, row, source, bench);
  return {};
}

TransformResult RowMaker::CallTransform(TransformSample& sample) const {
  const StageTimer timer(*tools_.stats, &StatsCollector::CountTransform);
  try {
    return tools_.options->transform(sample);
  } catch (const std::exception& exception) {
    throw TransformError(
        Error(ErrorCode::kInvalidArgument, fmt::format("the transform failed: {}", exception.what())),
        std::current_exception());
  } catch (...) {
    throw TransformError(Error(ErrorCode::kInvalidArgument, "the transform threw what is no std::exception"),
                         std::current_exception());
  }
}

void RowMaker::Keep(OpenBatch& batch, uint32_t row, const RowSource& source, Workbench& bench) {
  for (size_t i = 0; i < tools_.fields.size(); ++i) {
    const Field& field = tools_.fields[i];
    if (!field.decode) {
      batch.tensors[i].raw[row] = source.bytes[i];
      continue;
    }
    const TensorPlace& place = batch.layout.fields[i];
    bench.writer.Write(field.image, place.height, place.width, LevelsOfField(batch, i, bench),
                       {batch.RowPixels(i, row), place.row_bytes});
  }
  batch.rows[row].made = OpenRow::Made::kPixels;
}

}  // namespace bucketline
