#include "bucketline/loader/verdict.h"

#include <algorithm>

#include <fmt/format.h>

#include "bucketline/base/clock.h"
#include "bucketline/base/units.h"

namespace bucketline {
namespace {

// A consumer that waits less than this is the one that is waited for.
constexpr double kLittleWaiting = 0.05;
// Threads and requests are never busy to the last percent: hand-overs take their time.
constexpr double kBusy = 0.85;
// Of what a stage waits for: the rest of a stream's time is spent by the loader's own threads.
constexpr double kMostly = 0.5;

double Percent(double share) { return 100 * share; }

// Of the reads that the cache might have answered.
double HitShare(const CacheUse& use) {
  return static_cast<double>(use.hits) / static_cast<double>(std::max<uint64_t>(1, use.hits + use.misses));
}

std::string DecodeAdvice(const Verdict& verdict, const LoaderStats& stats) {
  const bool cached = HitShare(stats.cache) >= kMostly;
  return fmt::format(
      "decoding: {} decode threads are busy {:.0f} % of the time ({:.2f} ms an image); more CPUs and "
      "threads, smaller images in the bucket or uint8 rows help{}",
      stats.decode_threads, Percent(verdict.decode_share),
      Seconds(stats.decode.wall) * 1e3 / static_cast<double>(stats.decode.count),
      cached ? "; the objects come from the cache: without random crops cache_pixels keeps what is decoded"
             : "");
}

std::string PixelsAdvice(const Verdict& verdict, const LoaderStats& stats) {
  const CacheUse& pixels = stats.pixels;
  return fmt::format(
      "the cache: {} decode threads read pixels from its disk, or write them, {:.0f} % of the time ({:.2f} "
      "ms an "
      "image, {:.0f} % of them found); a faster disk helps, or memory that the system can keep them in; "
      "where "
      "decoding is faster leave cache_pixels out",
      stats.decode_threads, Percent(verdict.pixel_share),
      Seconds(pixels.wall) * 1e3 / static_cast<double>(pixels.hits + pixels.misses),
      Percent(HitShare(pixels)));
}

std::string CacheAdvice(const Verdict& verdict, const LoaderStats& stats) {
  return fmt::format(
      "the cache: {:.0f} of {} requests are under way on average, most of them reads from its disk, which "
      "take "
      "{:.0f} ms each; a faster disk helps, or no cache where the bucket is faster",
      verdict.requests, stats.max_requests,
      Seconds(stats.cache.wall) * 1e3 / static_cast<double>(stats.cache.hits));
}

std::string TransformAdvice(const Verdict& verdict, const LoaderStats& stats) {
  const auto milliseconds = [&](Duration sum) {
    return Seconds(sum) * 1e3 / static_cast<double>(stats.transform.count);
  };
  return fmt::format(
      "the transform: {} decode threads are in it {:.0f} % of the time ({:.2f} ms a sample, {:.2f} ms of it "
      "computing; the rest is waiting, for a lock perhaps); a cheaper transform helps, or doing part of it "
      "beforehand",
      stats.decode_threads, Percent(verdict.transform_share), milliseconds(stats.transform.wall),
      milliseconds(stats.transform.cpu));
}

std::string RequestsAdvice(const Verdict& verdict, const LoaderStats& stats) {
  const bool cached = stats.cache.hits > 0;
  return fmt::format(
      "the store: {:.0f} of {} requests are under way on average and take {:.0f} ms each; raise max_requests "
      "unless the network is full, or come closer to the bucket{}",
      verdict.requests, stats.max_requests,
      Seconds(stats.fetch.wall) * 1e3 / static_cast<double>(stats.fetch.count),
      cached ? fmt::format("; the cache has answered {:.0f} % of them, a larger cache_size answers more",
                           Percent(HitShare(stats.cache)))
             : "");
}

std::string WriterAdvice(const Verdict& verdict) {
  return fmt::format(
      "the channel: its writer is waited for {:.0f} % of the time; more hosts with ShardedByS3Key, or input "
      "mode "
      "FastFile, read more at a time",
      Percent(verdict.requests));
}

double BusyShare(const Verdict& verdict) {
  return verdict.decode_share + verdict.transform_share + verdict.pixel_share;
}

std::string MemoryAdvice(const Verdict& verdict, const LoaderStats& stats) {
  return fmt::format(
      "memory: a budget of {} keeps {}the decode threads busy {:.0f} % of the time; raise memory or lower "
      "batch_size",
      FormatByteSize(stats.budget_capacity),
      stats.max_requests == 0
          ? ""
          : fmt::format("{:.0f} of {} requests under way and ", verdict.requests, stats.max_requests),
      Percent(BusyShare(verdict)));
}

}  // namespace

Verdict Explain(const LoaderStats& stats) {
  Verdict verdict;
  const double span = Seconds(stats.span);
  if (stats.batches < 2 || span <= 0 || stats.fetch.count + stats.pixels.hits == 0) {
    verdict.text = "too few batches were taken to say where the time goes";
    return verdict;
  }
  verdict.wait_share = Seconds(stats.wait) / span;
  verdict.requests = Seconds(stats.fetch.wall) / span;
  if (stats.decode_threads > 0) {
    const double all = span * static_cast<double>(stats.decode_threads);
    verdict.decode_share = Seconds(stats.decode.wall) / all;
    verdict.transform_share = Seconds(stats.transform.wall) / all;
    verdict.pixel_share = Seconds(stats.pixels.wall) / all;
  }
  if (verdict.wait_share < kLittleWaiting) {
    verdict.bottleneck = Bottleneck::kConsumer;
    verdict.text =
        fmt::format("whoever takes the batches: it waited {:.1f} % of the time, so the loader is fast enough",
                    Percent(verdict.wait_share));
  } else if (BusyShare(verdict) >= kBusy && verdict.pixel_share > verdict.decode_share &&
             verdict.pixel_share > verdict.transform_share) {
    verdict.bottleneck = Bottleneck::kCache;
    verdict.text = PixelsAdvice(verdict, stats);
  } else if (BusyShare(verdict) >= kBusy && verdict.transform_share > verdict.decode_share) {
    verdict.bottleneck = Bottleneck::kTransform;
    verdict.text = TransformAdvice(verdict, stats);
  } else if (BusyShare(verdict) >= kBusy) {
    verdict.bottleneck = Bottleneck::kDecode;
    verdict.text = DecodeAdvice(verdict, stats);
  } else if (stats.max_requests == 0 && (verdict.requests >= kMostly || stats.decode_threads == 0)) {
    verdict.bottleneck = Bottleneck::kWriter;
    verdict.text = WriterAdvice(verdict);
  } else if (stats.max_requests > 0 && verdict.requests >= kBusy * static_cast<double>(stats.max_requests) &&
             Seconds(stats.cache.wall) >= kMostly * Seconds(stats.fetch.wall)) {
    verdict.bottleneck = Bottleneck::kCache;
    verdict.text = CacheAdvice(verdict, stats);
  } else if (stats.max_requests > 0 && verdict.requests >= kBusy * static_cast<double>(stats.max_requests)) {
    verdict.bottleneck = Bottleneck::kRequests;
    verdict.text = RequestsAdvice(verdict, stats);
  } else {
    verdict.bottleneck = Bottleneck::kMemory;
    verdict.text = MemoryAdvice(verdict, stats);
  }
  return verdict;
}

std::string_view Name(Bottleneck bottleneck) {
  switch (bottleneck) {
    case Bottleneck::kNone:
      break;
    case Bottleneck::kConsumer:
      return "consumer";
    case Bottleneck::kDecode:
      return "decode";
    case Bottleneck::kTransform:
      return "transform";
    case Bottleneck::kRequests:
      return "requests";
    case Bottleneck::kCache:
      return "cache";
    case Bottleneck::kWriter:
      return "writer";
    case Bottleneck::kMemory:
      return "memory";
  }
  return "none";
}

}  // namespace bucketline
