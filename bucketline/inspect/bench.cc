#include "bucketline/inspect/bench.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <time.h>

#include "bucketline/base/clock.h"
#include "bucketline/base/random.h"
#include "bucketline/image/decoder.h"
#include "bucketline/inspect/jpeg_floor.h"
#include "bucketline/inspect/proc_file.h"

namespace bucketline {
namespace {

double CpuSeconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Not getrusage's: what the parent had resident when it started this process counts there too.
uint64_t PeakRss() { return ProcBytes(ReadProcFile("/proc/self/status"), "VmHWM:"); }
uint64_t CurrentRss() { return ProcBytes(ReadProcFile("/proc/self/status"), "VmRSS:"); }

struct MemoryRecord {
  Bytes data;
  CounterRng rng;
  PixelBox box;  // what the decoder reads of it
};

// The q-th of the sorted times, 0 when there are none.
double Quantile(std::vector<double> times, double q) {
  if (times.empty()) return 0;
  const auto at = times.begin() + std::llround(q * static_cast<double>(times.size() - 1));
  std::nth_element(times.begin(), at, times.end());
  return *at;
}

// By a loader of its own, so that far stores are asked for many at once.
std::vector<MemoryRecord> ReadSample(const Dataset& dataset, const BenchOptions& options) {
  LoaderOptions reading;
  reading.decode = false;
  reading.shuffle = true;
  reading.seed = options.loader.seed;
  reading.last = LastPolicy::kPartial;
  reading.epochs = 1;
  reading.batch_size =
      static_cast<uint32_t>(std::clamp<uint64_t>(std::min(options.limit_records, dataset.size()), 1, 16));
  reading.memory = options.loader.memory;
  reading.max_requests = options.loader.max_requests;
  Loader loader(dataset, std::move(reading));
  std::vector<MemoryRecord> records;
  uint64_t bytes = 0;
  while (const std::optional<Batch> batch = loader.Next()) {
    for (uint32_t row = 0; row < batch->rows(); ++row) {
      bytes += batch->raw(row).size();
      if (records.size() == options.limit_records || (bytes > options.limit_bytes && !records.empty()))
        return records;
      records.push_back({batch->raw(row), CounterRng(options.loader.seed, 0, batch->indices()[row]), {}});
    }
  }
  return records;
}

// CPU time of one pass of `work` over `records`, in microseconds a record.
template <typename Work>
double Pass(std::vector<MemoryRecord>& records, Work work) {
  const double start = CpuSeconds(CLOCK_THREAD_CPUTIME_ID);
  for (MemoryRecord& record : records) work(record);
  return (CpuSeconds(CLOCK_THREAD_CPUTIME_ID) - start) * 1e6 / static_cast<double>(records.size());
}

size_t RowBytes(const ImageSpec& spec, const ImageInfo& info) {
  ImageSpec sized = spec;
  if (sized.height == 0) {
    const ImageSize size = OwnSize(info, spec);
    sized.height = size.height;
    sized.width = size.width;
  }
  return sized.RowBytes();
}

void MeasureLimits(const Dataset& dataset, const BenchOptions& options, BenchReport& report) {
  std::vector<MemoryRecord> records = ReadSample(dataset, options);
  const ImageSpec& spec = options.loader.image;
  ImageDecoder decoder;
  std::vector<uint8_t> row;
  std::vector<MemoryRecord> usable, jpegs;
  for (MemoryRecord& record : records) {  // also the warm-up
    try {
      const ImageInfo info = ProbeImage(record.data.span());
      row.resize(std::max(row.size(), RowBytes(spec, info)));
      const ImageGeometry geometry = decoder.DecodeInto(record.data.span(), spec, record.rng,
                                                        std::span(row).first(RowBytes(spec, info)));
      record.box = {.left = static_cast<int>(geometry.box_left),
                    .top = static_cast<int>(geometry.box_top),
                    .width = static_cast<int>(std::ceil(geometry.box_width)),
                    .height = static_cast<int>(std::ceil(geometry.box_height))};
      usable.push_back(record);
      if (info.format == ImageFormat::kJpeg) jpegs.push_back(record);
    } catch (const Error&) {
      if (options.loader.on_error == OnError::kRaise) throw;
    }
  }
  if (usable.empty()) return;
  // In turns, so that a noisy machine disturbs both alike.
  JpegFloor floor;
  double limit = std::numeric_limits<double>::infinity(), crop_decode = limit;
  for (int round = 0; round < options.limit_rounds; ++round) {
    limit = std::min(limit, Pass(usable, [&](MemoryRecord& record) {
                       const std::span<const uint8_t> data = record.data.span();
                       const size_t bytes =
                           spec.height == 0 ? RowBytes(spec, ProbeImage(data)) : spec.RowBytes();
                       decoder.DecodeInto(data, spec, record.rng, std::span(row).first(bytes));
                     }));
    if (jpegs.empty()) continue;
    crop_decode =
        std::min(crop_decode,
                 Pass(jpegs, [&](MemoryRecord& record) { floor.DecodeBox(record.data.span(), record.box); }));
  }
  report.limit_cpu_us_per_image = limit;
  report.cpu_over_limit = report.cpu_us_per_image / limit;
  if (!jpegs.empty()) report.crop_decode_cpu_us_per_image = crop_decode;
}

}  // namespace

BenchReport RunBench(const Dataset& dataset, const BenchOptions& options,
                     const std::function<void(uint64_t images)>& progress, std::stop_token stop) {
  const S3Counters& counters = dataset.runtime().counters();
  const uint64_t requests = counters.requests.value(), bytes = counters.bytes_read.value(),
                 retries = counters.retries.value(), throttled = counters.throttled.value(),
                 hedges = counters.hedges.value();
  const CacheStats cache = dataset.runtime().cache_stats();
  BenchReport report;
  LoaderOptions loading = options.loader;
  loading.epochs = options.epochs;
  Loader loader(dataset, std::move(loading));
  const std::stop_callback close(std::move(stop), [&] { loader.Close(); });

  const double cpu_start = CpuSeconds(CLOCK_PROCESS_CPUTIME_ID);
  const SteadyTime start = Clock::Real().Now();
  std::vector<double> batch_seconds;
  while (loader.epoch() < options.epochs &&
         (options.max_batches == 0 || report.batches < options.max_batches)) {
    const SteadyTime asked = Clock::Real().Now();
    const std::optional<Batch> batch = loader.Next();
    if (!batch) {
      report.last_epoch_rss_bytes = CurrentRss();
      if (report.first_epoch_rss_bytes == 0) report.first_epoch_rss_bytes = report.last_epoch_rss_bytes;
      continue;
    }
    const SteadyTime got = Clock::Real().Now();
    if (report.batches++ == 0) {
      report.first_batch_seconds = Seconds(got - start);
    } else {
      batch_seconds.push_back(Seconds(got - asked));
    }
    const auto valid = batch->valid();
    report.images += static_cast<uint64_t>(std::count(valid.begin(), valid.end(), 1));
    if (progress) progress(report.images);
  }
  report.seconds = Seconds(Clock::Real().Now() - start);
  const double cpu_seconds = CpuSeconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
  // The kernel's two counts differ by a few pages.
  report.peak_rss_bytes =
      std::max(PeakRss(), std::max(report.first_epoch_rss_bytes, report.last_epoch_rss_bytes));
  report.batch_p50_seconds = Quantile(batch_seconds, 0.5);
  report.batch_p99_seconds = Quantile(batch_seconds, 0.99);
  report.stages = loader.Stats();
  loader.Close();

  report.requests = counters.requests.value() - requests;
  report.bytes = counters.bytes_read.value() - bytes;
  report.retries = counters.retries.value() - retries;
  report.throttled = counters.throttled.value() - throttled;
  report.hedges = counters.hedges.value() - hedges;
  report.cache = dataset.runtime().cache_stats() - cache;
  report.concurrency = dataset.runtime().concurrency();
  report.wait_share = Seconds(report.stages.wait) / report.seconds;
  if (report.images > 0) {
    report.images_per_second = static_cast<double>(report.images) / report.seconds;
    report.cpu_us_per_image = cpu_seconds * 1e6 / static_cast<double>(report.images);
    if (options.loader.decode) MeasureLimits(dataset, options, report);
  }
  return report;
}

}  // namespace bucketline
