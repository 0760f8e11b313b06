// Pack: a dataset into shards.
#include <algorithm>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/conversion.h"
#include "src/dataset_handle.h"
#include "src/interruptible.h"
#include "src/registration.h"
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "bucketline/pack/pack.h"
#include "bucketline/records/shard_encoder.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace bucketline::python {
namespace {

// How far a pack is, from its threads to this one.
class Told {
 public:
  struct News {
    std::pair<uint64_t, uint64_t> totals;
    std::vector<std::pair<std::string, std::string>> skipped;
  };

  void Tell(uint64_t records, uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    news_.totals = {records, bytes};
  }
  void Skip(const std::string& uri, const Error& why) {
    const std::lock_guard lock(mutex_);
    news_.skipped.emplace_back(uri, why.message());
  }
  News Take() {
    const std::lock_guard lock(mutex_);
    return {news_.totals, std::exchange(news_.skipped, {})};
  }

 private:
  std::mutex mutex_;
  News news_;
};

// `progress(records, bytes)` and `skipped(uri, reason)` are None or called on this thread. One function of many arguments:
// an object of them would be as long again in the stub.
nb::dict PackDataset(const DatasetHandle& handle, const nb::str& out, const S3Options& s3,
                     const std::string& format, uint64_t shard_size, std::optional<uint64_t> shuffle,
                     int short_side, int quality, bool skip_bad, double max_skipped, uint64_t memory,
                     size_t threads, size_t max_requests, size_t max_shards, bool verify,
                     const std::string& only, nb::object progress, nb::object skipped) {
  PackOptions options{.format = format,
                      .shard_size = shard_size,
                      .shuffle = shuffle,
                      .short_side = short_side,
                      .quality = quality,
                      .skip_bad = skip_bad,
                      .max_skipped = max_skipped,
                      .memory = memory,
                      .threads = threads,
                      .max_requests = max_requests,
                      .max_shards = max_shards,
                      .verify = verify,
                      .s3 = s3};
  if (!only.empty()) options.only = PackShare::Parse(only);
  Told told;
  options.progress = [&told](uint64_t records, uint64_t bytes) { told.Tell(records, bytes); };
  options.skipped = [&told](const std::string& uri, const Error& why) { told.Skip(uri, why); };
  std::pair<uint64_t, uint64_t> last;
  const auto look_up = [&, drain = handle.runtime.LookUp()] {
    drain();
    const Told::News news = told.Take();
    for (const auto& [uri, reason] : news.skipped) {
      if (!skipped.is_none()) skipped(Text(uri), Text(reason));
    }
    if (progress.is_none() || news.totals == last) return;
    last = news.totals;
    progress(last.first, last.second);
  };
  const std::string place = Utf8(out);
  const PackReport report = Interruptible(
      [&](std::stop_token stop) { return Pack(handle.dataset, place, options, stop); }, look_up);
  nb::dict result;
  result["records"] = report.records;
  result["skipped"] = report.skipped;
  result["shards"] = report.shards;
  result["kept_shards"] = report.kept_shards;
  result["bytes_read"] = report.bytes_read;
  result["bytes_written"] = report.bytes_written;
  result["shard_bytes"] = report.shard_bytes;
  result["index"] = Text(report.index);
  return result;
}

uint64_t CountShards(const DatasetHandle& handle, const std::string& format, uint64_t shard_size,
                     std::optional<uint64_t> shuffle, int short_side, int quality) {
  const PackOptions options{.format = format,
                            .shard_size = shard_size,
                            .shuffle = shuffle,
                            .short_side = short_side,
                            .quality = quality};
  return Interruptible([&](const std::stop_token&) { return CountPackShards(handle.dataset, options); },
                       handle.runtime.LookUp());
}

}  // namespace

void RegisterPack(nb::module_& module) {
  module.def("pack_formats", &ShardEncodingNames);
  module.def("pack", &PackDataset, "dataset"_a, "out"_a, "s3"_a, "format"_a, "shard_size"_a,
             "shuffle"_a.none(), "short_side"_a, "quality"_a, "skip_bad"_a, "max_skipped"_a, "memory"_a,
             "threads"_a, "max_requests"_a, "max_shards"_a, "verify"_a, "only"_a, "progress"_a.none(),
             "skipped"_a.none());
  module.def("count_pack_shards", &CountShards, "dataset"_a, "format"_a, "shard_size"_a, "shuffle"_a.none(),
             "short_side"_a, "quality"_a);
}

}  // namespace bucketline::python
