// LoaderHandle: a loader that Python owns: its waits can be interrupted, and its bad samples wait to be asked for.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/conversion.h"
#include "src/interruptible.h"
#include "src/runtime_handle.h"
#include "src/transform_hook.h"
#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "bucketline/base/clock.h"
#include "bucketline/exec/thread_pool.h"
#include "bucketline/loader/loader.h"
#include "bucketline/loader/verdict.h"

namespace bucketline::python {

namespace nb = nanobind;

// The samples that were skipped or masked since Python last asked. Filled by engine threads.
class Quarantine {
 public:
  void Add(const BadSample& bad) {
    std::lock_guard lock(mutex_);
    samples_.push_back(bad);
  }
  std::vector<BadSample> Take() {
    std::lock_guard lock(mutex_);
    return std::exchange(samples_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<BadSample> samples_;
};

// AnyLoader: Loader or StreamLoader, which is made of Data.
template <typename AnyLoader, typename Data>
class LoaderHandle {
 public:
  // `transform` is None, or what TransformOf takes.
  LoaderHandle(RuntimeHandle runtime, Data data, LoaderOptions options, const nb::object& transform)
      : runtime_(std::move(runtime)), quarantine_(std::make_shared<Quarantine>()) {
    if (!transform.is_none()) {
      transform_ = transform;  // the loader keeps it alive
      options.transform = TransformOf(transform);
    }
    options.on_bad_sample = [quarantine = quarantine_](const BadSample& bad) { quarantine->Add(bad); };
    loader_ = std::make_unique<AnyLoader>(std::move(data), std::move(options));
  }
  // A garbage collection may come to it within its own transform, or one that its own waits for: their threads must
  // not wait for it.
  ~LoaderHandle() {
    if (InTransform() && loader_ != nullptr) {
      const std::shared_ptr<AnyLoader> loader = std::move(loader_);
      StartThread("bl-close", [runtime = runtime_, loader] { loader->Close(); }).detach();
      return;
    }
    const nb::gil_scoped_release free;
    loader_.reset();
  }

  std::optional<Batch> Next() {
    RefuseInTransform("iterate");
    while (!WaitFor(kLookUp)) {
      runtime_.logs->Drain();
      CheckSignals();
    }
    runtime_.logs->Drain();
    const nb::gil_scoped_release free;  // Close on another thread may wait for transforms, which need it
    return loader_->Next();
  }

  void Restore(const std::string& state) {
    RefuseInTransform("restore");
    const LoaderState parsed = LoaderState::FromJson(state);
    const nb::gil_scoped_release free;
    loader_->Restore(parsed);
  }
  void Close() {
    RefuseInTransform("close");
    const nb::gil_scoped_release free;
    loader_->Close();
  }

  const AnyLoader& loader() const { return *loader_; }
  Quarantine& quarantine() { return *quarantine_; }

 private:
  bool WaitFor(Duration longest) {
    const nb::gil_scoped_release free;
    return loader_->WaitFor(longest);
  }

  void RefuseInTransform(std::string_view what) const {
    if (!IsRunning(transform_)) return;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("a transform cannot {} the loader that waits for it; do it in the loop", what));
  }

  RuntimeHandle runtime_;
  std::shared_ptr<Quarantine> quarantine_;
  nb::handle transform_;
  std::unique_ptr<AnyLoader> loader_;  // declared last: its threads end before the rest goes
};

inline nb::dict Figures(const LoaderStats& stats) {
  nb::dict figures;
  figures["batches"] = stats.batches;
  figures["images"] = stats.images;
  figures["bytes"] = stats.record_bytes;
  figures["skipped"] = stats.skipped;
  figures["masked"] = stats.masked;
  figures["seconds"] = Seconds(stats.span);
  figures["wait_seconds"] = Seconds(stats.wait);
  figures["fetch_seconds"] = Seconds(stats.fetch.wall);
  figures["decode_seconds"] = Seconds(stats.decode.wall);
  figures["decode_cpu_seconds"] = Seconds(stats.decode.cpu);
  figures["transform_seconds"] = Seconds(stats.transform.wall);
  figures["transform_cpu_seconds"] = Seconds(stats.transform.cpu);
  figures["cache_hits"] = stats.cache.hits;
  figures["cache_hit_bytes"] = stats.cache.hit_bytes;
  figures["cache_misses"] = stats.cache.misses;
  figures["cache_miss_bytes"] = stats.cache.miss_bytes;
  figures["cache_seconds"] = Seconds(stats.cache.wall);
  figures["pixel_hits"] = stats.pixels.hits;
  figures["pixel_hit_bytes"] = stats.pixels.hit_bytes;
  figures["pixel_misses"] = stats.pixels.misses;
  figures["pixel_seconds"] = Seconds(stats.pixels.wall);
  figures["memory"] = stats.budget_capacity;
  figures["memory_peak"] = stats.budget_peak;
  figures["lent_bytes"] = stats.lent_bytes;
  return figures;
}

inline nb::list BadSamples(Quarantine& quarantine) {
  nb::list samples;
  for (const BadSample& bad : quarantine.Take())
    samples.append(
        nb::make_tuple(bad.epoch, bad.position, Text(bad.uri), Text(bad.reason), Text(bad.replaced_by)));
  return samples;
}

// What both have.
template <typename Handle>
void DefineLoading(nb::class_<Handle>& loader) {
  loader.def("next", &Handle::Next)
      .def_prop_ro("epoch", [](const Handle& handle) { return handle.loader().epoch(); })
      .def("state", [](const Handle& handle) { return handle.loader().State().ToJson(); })
      .def("restore", &Handle::Restore)
      .def("figures", [](const Handle& handle) { return Figures(handle.loader().Stats()); })
      .def("explain", [](const Handle& handle) { return Text(Explain(handle.loader().Stats()).text); })
      .def("bad_samples", [](Handle& handle) { return BadSamples(handle.quarantine()); })
      .def("close", &Handle::Close);
}

}  // namespace bucketline::python
