// Loader, its options and its batches.
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/conversion.h"
#include "src/dataset_handle.h"
#include "src/interruptible.h"
#include "src/pixel_array.h"
#include "src/registration.h"
#include "src/transform_hook.h"
#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bucketline/exec/thread_pool.h"
#include "bucketline/loader/loader.h"
#include "bucketline/loader/verdict.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace bucketline::python {
namespace {

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

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

class LoaderHandle {
 public:
  // `transform` is None, or what TransformOf takes.
  LoaderHandle(const DatasetHandle& dataset, LoaderOptions options, const nb::object& transform)
      : runtime_(dataset.runtime), quarantine_(std::make_shared<Quarantine>()) {
    if (!transform.is_none()) {
      transform_ = transform;  // the loader keeps it alive
      options.transform = TransformOf(transform);
    }
    options.on_bad_sample = [quarantine = quarantine_](const BadSample& bad) { quarantine->Add(bad); };
    loader_ = std::make_unique<Loader>(dataset.dataset, std::move(options));
  }
  // A garbage collection may come to it within its own transform, or one that its own waits for: their threads must
  // not wait for it.
  ~LoaderHandle() {
    if (InTransform() && loader_ != nullptr) {
      const std::shared_ptr<Loader> loader = std::move(loader_);
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

  const Loader& loader() const { return *loader_; }
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
  std::unique_ptr<Loader> loader_;  // declared last: its threads end before the rest goes
};

nb::dict Figures(const LoaderHandle& handle) {
  const LoaderStats stats = handle.loader().Stats();
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
  figures["memory"] = stats.budget_capacity;
  figures["memory_peak"] = stats.budget_peak;
  figures["lent_bytes"] = stats.lent_bytes;
  return figures;
}

nb::list BadSamples(LoaderHandle& handle) {
  nb::list samples;
  for (const BadSample& bad : handle.quarantine().Take())
    samples.append(
        nb::make_tuple(bad.epoch, bad.position, Text(bad.uri), Text(bad.reason), Text(bad.replaced_by)));
  return samples;
}

nb::object Pixels(const BatchField& field, size_t rows) {
  if (field.pixels() == nullptr) return nb::none();
  return PixelArray(field.pixels(), field.spec(), rows, KeepAlive(field.owner()));
}

nb::object LabelArray(const Batch& batch) {
  switch (batch.label_kind()) {
    case LabelKind::kNone:
      return nb::none();
    case LabelKind::kClass:
    case LabelKind::kInteger:
      return ArrayOn(batch.integer_labels().data(), {batch.rows()}, KeepAlive(batch));
    case LabelKind::kFloat:
      return ArrayOn(batch.float_labels().data(), {batch.rows()}, KeepAlive(batch));
    case LabelKind::kVector:
      break;
  }
  return ArrayOn(batch.float_labels().data(), {batch.rows(), batch.label_width()}, KeepAlive(batch));
}

// What the first decoded field says of its images, `columns` numbers each; None where no field is decoded.
template <typename T>
nb::object OfImages(const Batch& batch, size_t columns, std::span<const T> (BatchField::*facts)() const) {
  for (size_t i = 0; i < batch.field_count(); ++i) {
    const std::span<const T> numbers = (batch.field(i).*facts)();
    if (!numbers.empty()) return ArrayOn(numbers.data(), {batch.rows(), columns}, KeepAlive(batch));
  }
  return nb::none();
}

nb::list Raw(const BatchField& field, size_t rows) {
  nb::list bytes;
  for (uint32_t row = 0; row < rows; ++row)
    bytes.append(nb::bytes(field.raw(row).data(), field.raw(row).size()));
  return bytes;
}

nb::list Values(const Batch& batch) {
  nb::list values;
  for (uint32_t row = 0; row < batch.rows(); ++row) values.append(ValueOf(batch.value(row)));
  return values;
}

nb::list BatchKeys(const Batch& batch) {
  nb::list keys;
  for (uint32_t row = 0; row < batch.rows(); ++row) keys.append(Text(batch.Key(row)));
  return keys;
}

// (records, weight) of each.
void SetMix(LoaderOptions& options, const std::vector<std::pair<uint64_t, uint64_t>>& parts) {
  options.sampling = Sampling::kMix;
  for (const auto& [records, weight] : parts) options.mix.push_back({.records = records, .weight = weight});
}

void RegisterOptions(nb::module_& module) {
  nb::enum_<OnError>(module, "OnError")
      .value("error", OnError::kRaise)
      .value("skip", OnError::kSkip)
      .value("mask", OnError::kMask);
  nb::enum_<LastPolicy>(module, "LastPolicy")
      .value("drop", LastPolicy::kDrop)
      .value("partial", LastPolicy::kPartial)
      .value("pad", LastPolicy::kPad);

  nb::enum_<Sampling>(module, "Sampling")
      .value("all", Sampling::kAll)
      .value("balanced", Sampling::kBalanced)
      .value("replacement", Sampling::kReplacement)
      .value("mix", Sampling::kMix);

  nb::class_<FieldOptions>(module, "FieldOptions")
      .def(nb::init<>())
      .def_rw("part", &FieldOptions::part)
      .def_rw("decode", &FieldOptions::decode)
      .def_rw("image", &FieldOptions::image)
      .def_rw("same_geometry_as", &FieldOptions::same_geometry_as);

  nb::class_<LoaderOptions>(module, "LoaderOptions")
      .def(nb::init<>())
      .def_rw("fields", &LoaderOptions::fields)
      .def_rw("sampling", &LoaderOptions::sampling)
      .def_rw("epoch_size", &LoaderOptions::epoch_size)
      .def("set_mix", &SetMix, "parts"_a)
      .def_rw("pin_threads", &LoaderOptions::pin_threads)
      .def_rw("batch_size", &LoaderOptions::batch_size)
      .def_rw("image", &LoaderOptions::image)
      .def_rw("decode", &LoaderOptions::decode)
      .def_rw("shuffle", &LoaderOptions::shuffle)
      .def_rw("seed", &LoaderOptions::seed)
      .def_rw("epochs", &LoaderOptions::epochs, nb::arg().none())
      .def_rw("last", &LoaderOptions::last, nb::arg().none())
      .def_rw("rank", &LoaderOptions::rank)
      .def_rw("world_size", &LoaderOptions::world_size)
      .def_rw("threads", &LoaderOptions::threads)
      .def_rw("memory", &LoaderOptions::memory)
      .def_rw("max_requests", &LoaderOptions::max_requests)
      .def_rw("on_error", &LoaderOptions::on_error)
      .def_rw("max_skipped", &LoaderOptions::max_skipped);
}

void RegisterBatch(nb::module_& module) {
  nb::class_<Batch>(module, "Batch")
      .def("__len__", &Batch::rows)
      .def(
          "pixels", [](const Batch& batch, size_t field) { return Pixels(batch.field(field), batch.rows()); },
          "field"_a = 0)
      .def(
          "raw", [](const Batch& batch, size_t field) { return Raw(batch.field(field), batch.rows()); },
          "field"_a = 0)
      .def("geometry", [](const Batch& batch) { return OfImages(batch, 6, &BatchField::geometry); })
      .def("source_sizes", [](const Batch& batch) { return OfImages(batch, 2, &BatchField::source_sizes); })
      .def_prop_ro("has_values", &Batch::has_values)
      .def("values", &Values)
      .def("labels", &LabelArray)
      .def("indices",
           [](const Batch& batch) {
             return ArrayOn(batch.indices().data(), {batch.rows()}, KeepAlive(batch));
           })
      .def("valid",
           [](const Batch& batch) {
             return ArrayOn(reinterpret_cast<const bool*>(batch.valid().data()), {batch.rows()},
                            KeepAlive(batch));
           })
      .def("keys", &BatchKeys)
      .def_prop_ro("epoch", &Batch::epoch)
      .def_prop_ro("position", &Batch::position)
      .def("state", [](const Batch& batch) { return batch.State().ToJson(); });
}

}  // namespace

void RegisterLoader(nb::module_& module) {
  RegisterOptions(module);
  RegisterBatch(module);

  nb::class_<LoaderHandle>(module, "Loader")
      .def(nb::init<const DatasetHandle&, LoaderOptions, const nb::object&>(), "dataset"_a, "options"_a,
           "transform"_a.none())
      .def("next", &LoaderHandle::Next)
      .def_prop_ro("epoch", [](const LoaderHandle& handle) { return handle.loader().epoch(); })
      .def_prop_ro("steps", [](const LoaderHandle& handle) { return handle.loader().steps(); })
      .def_prop_ro("remaining", [](const LoaderHandle& handle) { return handle.loader().remaining(); })
      .def("state", [](const LoaderHandle& handle) { return handle.loader().State().ToJson(); })
      .def("restore", &LoaderHandle::Restore)
      .def("figures", &Figures)
      .def("explain", [](const LoaderHandle& handle) { return Text(Explain(handle.loader().Stats()).text); })
      .def("bad_samples", &BadSamples)
      .def("close", &LoaderHandle::Close);
}

}  // namespace bucketline::python
