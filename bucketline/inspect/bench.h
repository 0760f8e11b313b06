// RunBench: how fast a dataset streams here, and how far that is from the limit of this machine.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "bucketline/dataset/dataset.h"
#include "bucketline/loader/loader.h"

namespace bucketline {

struct BenchOptions {
  LoaderOptions loader;
  uint64_t epochs = 1;
  uint64_t max_batches = 0;  // ends the streaming after so many; 0: no limit
  // Records read into memory for the limit, drawn without replacement; as many as fit into `limit_bytes`.
  uint64_t limit_records = 200;
  uint64_t limit_bytes = uint64_t{64} << 20;
  int limit_rounds = 5;  // the best of so many passes
};

// CPU times are user + system, in microseconds an image.
struct BenchReport {
  uint64_t images = 0;  // valid rows delivered
  uint64_t batches = 0;
  double seconds = 0;  // from the first Next to the last
  double first_batch_seconds = 0;
  double images_per_second = 0;
  double cpu_us_per_image = 0;  // of the whole process while it streamed
  double limit_cpu_us_per_image =
      0;  // the same decode, crop, resize and normalise from memory, one thread; 0: raw
  double crop_decode_cpu_us_per_image =
      0;                         // libjpeg-turbo's crop decode alone, of the JPEGs among them; 0: none
  double cpu_over_limit = 0;     // cpu_us_per_image / limit_cpu_us_per_image; 0 without a limit
  double wait_share = 0;         // of `seconds`, the consumer inside Next
  double batch_p50_seconds = 0;  // how long Next took, the first batch left out: half of the batches, and
  double batch_p99_seconds = 0;  // 99 of 100, took at most this
  uint64_t peak_rss_bytes = 0;   // of the process, when the streaming ended
  uint64_t first_epoch_rss_bytes =
      0;  // of the process at the end of the first epoch, and of the last whole one:
  uint64_t last_epoch_rss_bytes = 0;  // what grows from epoch to epoch is a leak
  uint64_t requests = 0;
  uint64_t bytes = 0;
  uint64_t retries = 0;
  uint64_t throttled = 0;
  CacheStats cache;              // of the Runtime's caches, while it streamed
  uint64_t hedges = 0;           // reads that were asked for a second time, as they were late
  ConcurrencyState concurrency;  // when the streaming ended
  LoaderStats stages;
};

// Streams `epochs` epochs as fast as they come, then measures the limits on records in memory, in the same
// process. `progress` gets the images so far after each batch. Throws what Loader::Next throws; kCancelled
// when stopped.
BenchReport RunBench(const Dataset& dataset, const BenchOptions& options,
                     const std::function<void(uint64_t images)>& progress = {}, std::stop_token stop = {});

}  // namespace bucketline
