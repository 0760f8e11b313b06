#include "bucketline/inspect/read_checks.h"

#include <algorithm>
#include <atomic>
#include <optional>

#include <fmt/format.h>

#include "bucketline/base/units.h"
#include "bucketline/exec/thread_pool.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

using Status = DoctorCheck::Status;
using std::chrono::steady_clock;

DoctorCheck Failed(std::string name, const Error& error) {
  if (error.code() == ErrorCode::kCancelled) throw error;
  return {.name = std::move(name), .status = Status::kFailed, .value = error.what()};
}

Bytes ReadRange(ObjectStore& store, const ObjectInfo& object, uint64_t offset, uint64_t length,
                const std::stop_token& stop) {
  GetRequest request;
  request.key = object.key;
  request.offset = offset;
  request.length = length;
  request.pin = {object.etag, object.size};
  request.stop = stop;
  return GetBytes(store, std::move(request));
}

// One part of the throughput's work.
struct Range {
  const ObjectInfo* object;
  uint64_t offset;
  uint64_t length;
};

std::vector<Range> RangesOf(const std::vector<ObjectInfo>& objects, const DoctorOptions& options) {
  std::vector<Range> ranges;
  uint64_t total = 0;
  for (const ObjectInfo& object : objects) {
    for (uint64_t offset = 0; offset < object.size && total < options.throughput_bytes;) {
      const uint64_t length = std::min(options.range_bytes, object.size - offset);
      ranges.push_back({&object, offset, length});
      offset += length;
      total += length;
    }
  }
  return ranges;
}

double SecondsSince(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

}  // namespace

DoctorCheck CheckList(ObjectStore& store, const std::string& prefix, std::stop_token stop,
                      std::vector<ObjectInfo>& objects) {
  const Result<ListPage> page =
      Catch([&] { return ListOnePage(store, {.prefix = prefix, .stop = std::move(stop)}); });
  if (!page) return Failed("list", page.error());
  for (const ObjectInfo& object : page->objects) {
    if (object.size > 0) objects.push_back(object);
  }
  DoctorCheck check{.name = "list",
                    .value = fmt::format("{}{} objects below the prefix", page->objects.size(),
                                         page->next_token.empty() ? "" : " and more")};
  if (objects.empty()) {
    check.status = Status::kFailed;
    check.value =
        page->objects.empty() ? "nothing below this prefix" : "only empty objects below this prefix";
    check.advice = "check the prefix: keys are compared byte by byte";
  }
  return check;
}

DoctorCheck CheckRead(ObjectStore& store, const ObjectInfo& object, std::stop_token stop) {
  const Result<Bytes> byte = Catch([&] { return ReadRange(store, object, 0, 1, stop); });
  if (!byte) return Failed("read", byte.error());
  return {.name = "read", .value = fmt::format("{}, pinned to its ETag", store.UriOf(object.key))};
}

DoctorCheck MeasureLatency(ObjectStore& store, const std::vector<ObjectInfo>& objects,
                           const DoctorOptions& options, std::stop_token stop,
                           std::vector<uint64_t>& latencies_us) {
  const auto begin = steady_clock::now();
  for (int i = 0; i < options.small_reads && steady_clock::now() - begin < options.latency_limit; ++i) {
    const ObjectInfo& object = objects[static_cast<size_t>(i) % objects.size()];
    const auto start = steady_clock::now();
    const uint64_t length = std::min(options.small_read_bytes, object.size);
    const Result<Bytes> bytes = Catch([&] { return ReadRange(store, object, 0, length, stop); });
    if (!bytes) return Failed("latency", bytes.error());
    latencies_us.push_back(static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - start).count()));
  }
  std::sort(latencies_us.begin(), latencies_us.end());
  const auto ms = [&](double quantile) {
    const auto rank = static_cast<size_t>(quantile * static_cast<double>(latencies_us.size() - 1));
    return static_cast<double>(latencies_us[rank]) / 1000;
  };
  return {.name = "latency",
          .value =
              fmt::format("{} reads of {}: median {:.1f} ms, p90 {:.1f} ms, p99 {:.1f} ms, longest {:.1f} ms",
                          latencies_us.size(), FormatByteSize(options.small_read_bytes), ms(0.5), ms(0.9),
                          ms(0.99), ms(1))};
}

DoctorCheck MeasureThroughput(ObjectStore& store, std::vector<ObjectInfo> objects,
                              const DoctorOptions& options, std::stop_token stop, double& bytes_per_second) {
  std::ranges::sort(objects, [](const ObjectInfo& a, const ObjectInfo& b) { return a.size > b.size; });
  const std::vector<Range> ranges = RangesOf(objects, options);
  std::atomic<size_t> next = 0;
  std::atomic<uint64_t> bytes = 0;
  std::mutex mutex;
  std::optional<Error> failure;
  const auto begin = steady_clock::now();
  {
    ThreadPool pool(options.range_threads, "bl-doctor");
    for (size_t i = 0; i < options.range_threads; ++i) {
      static_cast<void>(pool.Submit([&] {
        for (size_t n;
             (n = next++) < ranges.size() && steady_clock::now() - begin < options.throughput_limit;) {
          const Range& range = ranges[n];
          const auto read =
              Catch([&] { return ReadRange(store, *range.object, range.offset, range.length, stop); });
          if (read) {
            bytes += range.length;
            continue;
          }
          const std::lock_guard lock(mutex);
          failure = read.error();
          return;
        }
      }));
    }
  }
  const double seconds = SecondsSince(begin);
  if (failure) return Failed("throughput", *failure);
  bytes_per_second = static_cast<double>(bytes) / seconds;
  return {
      .name = "throughput",
      .value = fmt::format("{} in {:.2f} s, {} ranges at a time: {}/s", FormatByteSize(bytes), seconds,
                           options.range_threads, FormatByteSize(static_cast<uint64_t>(bytes_per_second)))};
}

}  // namespace bucketline
