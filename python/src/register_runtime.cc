// Runtime and S3Options.
#include "src/conversion.h"
#include "src/registration.h"
#include "src/runtime_handle.h"
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "bucketline/base/units.h"
#include "bucketline/s3/s3_store.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace bucketline::python {
namespace {

RuntimeHandle MakeRuntime(uint64_t memory, size_t network_threads, size_t connections, bool hedge,
                          std::string ca_bundle, const std::string& cache, uint64_t cache_size,
                          bool cache_pixels) {
  auto logs = std::make_shared<LogQueue>();
  RuntimeOptions options{.memory = memory,
                         .network_threads = network_threads,
                         .connections = connections,
                         .hedge = hedge,
                         .ca_bundle = std::move(ca_bundle),
                         .cache = {.folder = cache, .size = cache_size, .pixels = cache_pixels}};
  options.log = [logs](LogLevel level, std::string_view message) { logs->Add(level, message); };
  return {.logs = logs, .runtime = std::make_shared<Runtime>(std::move(options))};
}

nb::dict Figures(const RuntimeHandle& handle) {
  const S3Counters& counters = handle.runtime->counters();
  nb::dict figures;
  figures["requests"] = counters.requests.value();
  figures["retries"] = counters.retries.value();
  figures["throttled"] = counters.throttled.value();
  figures["hedges"] = counters.hedges.value();
  figures["hedges_won"] = counters.hedges_won.value();
  figures["bytes_read"] = counters.bytes_read.value();
  figures["bytes_written"] = counters.bytes_written.value();
  const CacheStats cache = handle.runtime->cache_stats();
  figures["cache_hits"] = cache.hits;
  figures["cache_hit_bytes"] = cache.hit_bytes;
  figures["cache_misses"] = cache.misses;
  figures["cache_miss_bytes"] = cache.miss_bytes;
  figures["cache_stored"] = cache.stored;
  figures["cache_stored_bytes"] = cache.stored_bytes;
  figures["cache_full"] = cache.full;
  figures["cache_failed"] = cache.failed;
  figures["cache_damaged"] = cache.damaged;
  figures["cache_pixel_hits"] = cache.pixel_hits;
  figures["cache_pixel_hit_bytes"] = cache.pixel_hit_bytes;
  figures["cache_pixel_misses"] = cache.pixel_misses;
  return figures;
}

}  // namespace

void RegisterRuntime(nb::module_& module) {
  nb::class_<S3Options>(module, "S3Options")
      .def(nb::init<>())
      .def_rw("endpoint_url", &S3Options::endpoint_url)
      .def_rw("region", &S3Options::region)
      .def_rw("profile", &S3Options::profile)
      .def_rw("anonymous", &S3Options::anonymous)
      .def_rw("requester_pays", &S3Options::requester_pays);

  nb::class_<RuntimeHandle>(module, "Runtime")
      .def(
          "__init__",
          [](RuntimeHandle* self, uint64_t memory, size_t network_threads, size_t connections, bool hedge,
             std::string ca_bundle, const nb::str& cache, uint64_t cache_size, bool cache_pixels) {
            new (self)
                RuntimeHandle(MakeRuntime(memory, network_threads, connections, hedge, std::move(ca_bundle),
                                          Utf8(cache), cache_size, cache_pixels));
          },
          "memory"_a, "network_threads"_a, "connections"_a, "hedge"_a, "ca_bundle"_a, "cache"_a,
          "cache_size"_a, "cache_pixels"_a)
      .def("figures", &Figures);

  module.def("parse_byte_size", &ParseByteSize, "text"_a);
  module.def("format_byte_size", &FormatByteSize, "size"_a);
}

}  // namespace bucketline::python
