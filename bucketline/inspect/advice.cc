#include "bucketline/inspect/advice.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <sched.h>

#include "bucketline/base/clock.h"
#include "bucketline/base/error.h"
#include "bucketline/base/units.h"
#include "bucketline/dataset/pinning.h"
#include "bucketline/image/decoder.h"
#include "bucketline/inspect/proc_file.h"
#include "bucketline/loader/verdict.h"

namespace bucketline {
namespace {

constexpr double kSpare = 1.25;            // beside what the probe needed
constexpr uint64_t kWorthSaving = 10'000;  // keys: listing that many takes seconds
constexpr double kMuchLarger = 1.5;  // than the crop's usual source: reading and decoding what is thrown away
constexpr double kSourceOfCrop = 256.0 / 224;
constexpr uint64_t kMostRequests = 384;

size_t Cpus() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<size_t>(CPU_COUNT(&set)) : 1;
}

// Of records spread over the dataset. What is no image does not count.
double MeanShortSide(const Dataset& dataset, uint64_t most, const std::stop_token& stop) {
  double sum = 0;
  uint64_t images = 0;
  const uint64_t count = std::min(most, dataset.size());
  for (uint64_t i = 0; i < count; ++i) {
    const Sample sample = dataset.Read(i * dataset.size() / count, 0, stop);
    const Result<ImageInfo> info = Catch([&] { return ProbeImage(sample.data.span()); });
    if (!info) continue;
    sum += std::min(info->width, info->height);
    ++images;
  }
  return images == 0 ? 0 : sum / static_cast<double>(images);
}

Advice Threads(const ProbeFacts& facts, const Verdict& verdict) {
  const LoaderStats& stats = facts.stats;
  if (stats.decode.count == 0) return {"threads", "1", "nothing is decoded"};
  const double cpu = Seconds(stats.decode.cpu) / static_cast<double>(stats.decode.count);
  const double rate = static_cast<double>(stats.images) / facts.seconds;
  if (verdict.bottleneck == Bottleneck::kDecode || verdict.bottleneck == Bottleneck::kTransform) {
    return {"threads", fmt::format("{}", facts.cpus),
            fmt::format("decoding is what takes the time: {:.2f} ms of CPU an image, so {} CPUs give {:.0f} "
                        "images/s at most",
                        cpu * 1e3, facts.cpus, static_cast<double>(facts.cpus) / cpu)};
  }
  const auto enough = static_cast<uint64_t>(std::ceil(std::max(rate * cpu * kSpare, 1.0)));
  return {"threads", fmt::format("{}", std::min<uint64_t>(enough, facts.cpus)),
          fmt::format("{:.0f} images/s of {:.2f} ms of CPU each keep no more busy", rate, cpu * 1e3)};
}

Advice Memory(const ProbeFacts& facts, const Verdict& verdict) {
  const LoaderStats& stats = facts.stats;
  const bool more = verdict.bottleneck == Bottleneck::kMemory;
  const double wanted = more ? 2.0 * static_cast<double>(stats.budget_capacity)
                             : kSpare * static_cast<double>(stats.budget_peak);
  auto bytes = static_cast<uint64_t>(std::ceil(wanted / static_cast<double>(16_MiB))) * 16_MiB;
  std::string reason = more ? fmt::format("the budget of {} let too few records be under way",
                                          FormatByteSize(stats.budget_capacity))
                            : fmt::format("the probe used {} at most", FormatByteSize(stats.budget_peak));
  if (facts.free_memory > 0 && bytes > facts.free_memory / 2) {
    bytes = std::max(facts.free_memory / 2 / 16_MiB * 16_MiB, 16_MiB);
    reason += fmt::format("; half of what is free here, {}, is less", FormatByteSize(facts.free_memory));
  }
  return {"memory", FormatByteSize(bytes), std::move(reason)};
}

Advice Requests(const ProbeFacts& facts, const Verdict& verdict) {
  const LoaderStats& stats = facts.stats;
  const double each =
      Seconds(stats.fetch.wall) / static_cast<double>(std::max<uint64_t>(stats.fetch.count, 1));
  if (verdict.bottleneck == Bottleneck::kRequests && stats.max_requests < kMostRequests) {
    return {
        "requests", fmt::format("{}", std::min<uint64_t>(2 * stats.max_requests, kMostRequests)),
        fmt::format("all {} were under way all the time, {:.0f} ms each", stats.max_requests, each * 1e3)};
  }
  return {"requests", fmt::format("{}", stats.max_requests),
          fmt::format("{:.1f} were under way on average, {:.0f} ms each", verdict.requests, each * 1e3)};
}

Advice Packing(const ProbeFacts& facts, const Verdict& verdict) {
  const double source = facts.wanted_side * kSourceOfCrop;
  if (facts.wanted_side > 0 && facts.short_side > kMuchLarger * source) {
    const auto side = static_cast<int>(std::ceil(source));
    return {
        "pack", fmt::format("yes, --resize short={}", side),
        fmt::format("images have a short side of {:.0f} pixels, and {} are wanted of it: smaller JPEGs are "
                    "read and decoded in a fraction of the time, every epoch",
                    facts.short_side, side)};
  }
  if (facts.shards) return {"pack", "no", "these are shards already"};
  if (verdict.bottleneck == Bottleneck::kRequests) {
    return {
        "pack", "only for readers that go in order",
        fmt::format("requests for {} each are what takes the time. Whole shards in order need few; the exact "
                    "shuffle reads each record by itself, packed or not, and wants more requests in flight",
                    FormatByteSize(static_cast<uint64_t>(facts.mean_bytes)))};
  }
  return {"pack", "no", "requests are not what takes the time; `bucketline cost` says what they cost"};
}

Advice Index(const ProbeFacts& facts) {
  if (!facts.listed) return {"index", "no", "it is a saved manifest"};
  if (facts.records < kWorthSaving) {
    return {"index", "no", fmt::format("{} keys are listed at once", facts.records)};
  }
  return {
      "index", "yes, `bucketline index`",
      fmt::format("{} keys are listed at every start, and a saved manifest opens without", facts.records)};
}

}  // namespace

ProbeFacts Probe(const Dataset& dataset, const ProbeOptions& options,
                 const std::function<void(uint64_t images)>& progress, std::stop_token stop) {
  ProbeFacts facts{.records = dataset.size(),
                   .mean_bytes = static_cast<double>(dataset.total_bytes()) /
                                 static_cast<double>(std::max<uint64_t>(dataset.size(), 1)),
                   .cpus = Cpus(),
                   .free_memory = ProcBytes(ReadProcFile("/proc/meminfo"), "MemAvailable:"),
                   .stats = {}};
  Loader loader(dataset, options.loader);  // an empty dataset ends here
  facts.shards = !IsWhole(dataset.PlaceAt(0).part);
  if (options.loader.decode) {
    facts.wanted_side = std::min(options.loader.image.height, options.loader.image.width);
    facts.short_side = MeanShortSide(dataset, options.looked_at, stop);
  }
  const std::stop_callback close(std::move(stop), [&] { loader.Close(); });
  const SteadyTime start = Clock::Real().Now();
  uint64_t images = 0;
  while (Clock::Real().Now() - start < options.longest) {
    const std::optional<Batch> batch = loader.Next();
    if (!batch) break;
    images += batch->rows();
    if (progress) progress(images);
  }
  facts.stats = loader.Stats();
  facts.seconds = std::max(Seconds(Clock::Real().Now() - start), 1e-9);
  return facts;
}

std::vector<Advice> Advise(const ProbeFacts& facts) {
  const Verdict verdict = Explain(facts.stats);
  return {Threads(facts, verdict), Memory(facts, verdict), Requests(facts, verdict), Packing(facts, verdict),
          Index(facts)};
}

}  // namespace bucketline
