// bucketline bench: how fast a dataset streams here, beside the limit of this machine.
#include "bucketline/inspect/bench.h"

#include <chrono>
#include <memory>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/image_options.h"
#include "cli/live_line.h"
#include "cli/stage_json.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"
#include "bucketline/loader/verdict.h"

namespace bucketline::cli {
namespace {

struct Args {
  ConnectionArgs connection;
  DatasetArgs dataset;
  BenchOptions bench;
  int size = 224;
  bool raw = false;
  bool nhwc = false;
  std::string quarantine;
};

nlohmann::ordered_json ReportJson(const BenchReport& report) {
  const LoaderStats& stages = report.stages;
  const Verdict verdict = Explain(stages);
  return {{"images", report.images},
          {"seconds", report.seconds},
          {"images_per_second", report.images_per_second},
          {"cpu_us_per_image", report.cpu_us_per_image},
          {"limit_cpu_us_per_image", report.limit_cpu_us_per_image},
          {"crop_decode_cpu_us_per_image", report.crop_decode_cpu_us_per_image},
          {"cpu_over_limit", report.cpu_over_limit},
          {"wait_share", report.wait_share},
          {"first_batch_seconds", report.first_batch_seconds},
          {"batch_p50_seconds", report.batch_p50_seconds},
          {"batch_p99_seconds", report.batch_p99_seconds},
          {"peak_rss_bytes", report.peak_rss_bytes},
          {"first_epoch_rss_bytes", report.first_epoch_rss_bytes},
          {"last_epoch_rss_bytes", report.last_epoch_rss_bytes},
          {"requests", report.requests},
          {"bytes", report.bytes},
          {"retries", report.retries},
          {"throttled", report.throttled},
          {"hedges", report.hedges},
          {"requests_at_a_time",
           {{"limit", report.concurrency.limit}, {"backoffs", report.concurrency.backoffs}}},
          {"cache", CacheJson(report.cache)},
          {"skipped", stages.skipped},
          {"masked", stages.masked},
          {"budget_bytes", stages.budget_capacity},
          {"budget_peak_bytes", stages.budget_peak},
          {"stages",
           {{"fetch", StageJson(stages.fetch)},
            {"decode", StageJson(stages.decode)},
            {"wait", {{"wall_seconds", Seconds(stages.wait)}}}}},
          {"bottleneck", Name(verdict.bottleneck)},
          {"verdict", verdict.text}};
}

void PrintReport(const BenchReport& report) {
  fmt::print(
      "{} images in {:.2f} s: {:.0f} images/s, first batch after {:.2f} s, p99 of the others {:.3f} s\n",
      report.images, report.seconds, report.images_per_second, report.first_batch_seconds,
      report.batch_p99_seconds);
  fmt::print("CPU {:.0f} us an image", report.cpu_us_per_image);
  if (report.limit_cpu_us_per_image > 0) {
    fmt::print("; {:.2f} x the limit of {:.0f} us (the same from memory)", report.cpu_over_limit,
               report.limit_cpu_us_per_image);
  }
  if (report.crop_decode_cpu_us_per_image > 0) {
    fmt::print("; libjpeg-turbo's crop decode alone {:.0f} us", report.crop_decode_cpu_us_per_image);
  }
  fmt::print("\n{} requests, {} read, {} retries, peak memory {}\n", report.requests,
             FormatByteSize(report.bytes), report.retries, FormatByteSize(report.peak_rss_bytes));
  const CacheStats& cache = report.cache;
  if (cache.hits + cache.misses > 0) {
    fmt::print("cache: {} hits, {}; {} misses, {}\n", cache.hits, FormatByteSize(cache.hit_bytes),
               cache.misses, FormatByteSize(cache.miss_bytes));
  }
  if (cache.pixel_hits + cache.pixel_misses > 0) {
    fmt::print("pixels: {} from the cache, {}; {} decoded\n", cache.pixel_hits,
               FormatByteSize(cache.pixel_hit_bytes), cache.pixel_misses);
  }
  fmt::print("bottleneck: {}\n", Explain(report.stages).text);
}

int Run(Args& args, bool json, std::stop_token stop) {
  Runtime runtime(args.connection.runtime);
  const Dataset dataset = args.dataset.Open(runtime);
  LoaderOptions& loader = args.bench.loader;
  loader.decode = !args.raw;
  loader.image.height = loader.image.width = args.size;
  loader.image.mean = ImageSpec::kImagenetMean;
  loader.image.std = ImageSpec::kImagenetStd;
  loader.image.layout = args.nhwc ? PixelLayout::kNhwc : PixelLayout::kNchw;
  if (loader.image.type == PixelType::kUint8) {
    loader.image.mean = {0, 0, 0};
    loader.image.std = {1, 1, 1};
  }
  loader.on_bad_sample = BadSampleReport(args.quarantine, runtime.log());
  LiveLine line;
  const auto start = std::chrono::steady_clock::now();
  const BenchReport report = RunBench(
      dataset, args.bench,
      [&](uint64_t images) {
        line.Update([&] {
          const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
          return fmt::format("{} images, {:.0f} images/s", images,
                             static_cast<double>(images) / elapsed.count());
        });
      },
      std::move(stop));
  line.Clear();
  if (json) {
    fmt::print("{}\n", ReportJson(report).dump());
  } else {
    PrintReport(report);
  }
  return kDone;
}

}  // namespace

void AddBench(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  LoaderOptions& loader = args->bench.loader;
  loader.shuffle = true;
  loader.last = LastPolicy::kPartial;  // every image counts
  CLI::App* sub =
      app.add_subcommand("bench", "stream a dataset as fast as it comes, and compare with the limit");
  args->dataset.AddTo(*sub, "none");
  AddCropAndFlip(*sub, loader.image.crop, loader.image.flip);
  AddImageOptions(*sub, loader.image);
  AddDtype(*sub, loader.image.type);
  sub->add_option("--size", args->size, "height and width of the rows")
      ->check(CLI::Range(1, 16384))
      ->capture_default_str();
  sub->add_option("--batch-size", loader.batch_size)->check(CLI::Range(1, 1 << 20))->capture_default_str();
  sub->add_option("--epochs", args->bench.epochs)->check(CLI::Range(1, 1'000'000))->capture_default_str();
  sub->add_option("--batches", args->bench.max_batches, "stop after so many; 0: all of the epochs");
  sub->add_flag("--raw", args->raw, "fetch only, do not decode");
  sub->add_flag("--nhwc", args->nhwc, "rows as (H, W, C), not (C, H, W)");
  sub->add_flag("--shuffle,!--no-shuffle", loader.shuffle, "exact global shuffle (the default)");
  AddWindow(*sub, loader.window);
  sub->add_option("--seed", loader.seed)->capture_default_str();
  sub->add_option("--threads", loader.threads, "for decoding; 0: one per CPU")->capture_default_str();
  sub->add_option("--requests", loader.max_requests, "in flight at most")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  AddByteSize(*sub, "--memory", loader.memory, "budget of the loader [1GiB]");
  AddOnError(*sub, loader.on_error);
  sub->add_option("--max-skipped", loader.max_skipped,
                  "share of an epoch that may be bad before the run ends")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  sub->add_option("--quarantine", args->quarantine, "file that bad samples are added to, as JSON lines");
  sub->add_flag("--json", invocation.json, "the report as JSON, on the last line");
  AddCacheOptions(*sub, args->connection.runtime.cache);
  args->connection.AddTo(*sub);
  sub->callback([args, &invocation] {
    invocation.run = [args, &invocation](std::stop_token stop) {
      return Run(*args, invocation.json, std::move(stop));
    };
  });
}

}  // namespace bucketline::cli
