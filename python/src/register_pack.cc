// Pack: a dataset into shards.
#include <algorithm>
#include <cstdint>
#include <mutex>
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

// `progress(records, bytes)` and `skipped(uri, reason)` are None or called on this thread.
nb::dict PackDataset(const DatasetHandle& handle, const nb::str& out, PackOptions options,
                     nb::object progress, nb::object skipped) {
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
      [&](std::stop_token stop) { return Pack(handle.dataset, place, options, std::move(stop)); }, look_up);
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

}  // namespace

void RegisterPack(nb::module_& module) {
  nb::class_<PackOptions>(module, "PackOptions")
      .def(nb::init<>())
      .def_rw("format", &PackOptions::format)
      .def_rw("shard_size", &PackOptions::shard_size)
      .def_rw("shuffle", &PackOptions::shuffle, nb::arg().none())
      .def_rw("short_side", &PackOptions::short_side)
      .def_rw("quality", &PackOptions::quality)
      .def_rw("skip_bad", &PackOptions::skip_bad)
      .def_rw("max_skipped", &PackOptions::max_skipped)
      .def_rw("memory", &PackOptions::memory)
      .def_rw("threads", &PackOptions::threads)
      .def_rw("max_requests", &PackOptions::max_requests)
      .def_rw("max_shards", &PackOptions::max_shards)
      .def_rw("verify", &PackOptions::verify)
      .def_rw("s3", &PackOptions::s3);
  module.def("pack_formats", &ShardEncodingNames);
  module.def("pack", &PackDataset, "dataset"_a, "out"_a, "options"_a, "progress"_a.none(),
             "skipped"_a.none());
}

}  // namespace bucketline::python
