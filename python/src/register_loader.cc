// Loader, its options and its batches.
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "src/batch_memory.h"
#include "src/conversion.h"
#include "src/dataset_handle.h"
#include "src/loader_handle.h"
#include "src/pixel_array.h"
#include "src/registration.h"
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bucketline/sampler/mix_weights.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace bucketline::python {
namespace {

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
      .def_rw("window", &LoaderOptions::window)
      .def_rw("seed", &LoaderOptions::seed)
      .def_rw("epochs", &LoaderOptions::epochs, nb::arg().none())
      .def_rw("last", &LoaderOptions::last, nb::arg().none())
      .def_rw("rank", &LoaderOptions::rank)
      .def_rw("world_size", &LoaderOptions::world_size)
      .def_rw("threads", &LoaderOptions::threads)
      .def_rw("memory", &LoaderOptions::memory)
      .def_rw("max_requests", &LoaderOptions::max_requests)
      .def_rw("on_error", &LoaderOptions::on_error)
      .def_rw("max_skipped", &LoaderOptions::max_skipped)
      .def(
          "set_allocator",
          [](LoaderOptions& options, nb::object call) { options.allocator = AllocatorOf(std::move(call)); },
          "call"_a);
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
  module.def("proportional_weights", &ProportionalWeights, "records"_a);
  module.def("temperature_weights", &TemperatureWeights, "records"_a, "temperature"_a);
  RegisterOptions(module);
  RegisterBatch(module);

  using Handle = LoaderHandle<Loader, Dataset>;
  nb::class_<Handle> loader(module, "Loader");
  loader
      .def(
          "__init__",
          [](Handle* self, const DatasetHandle& dataset, LoaderOptions options, const nb::object& transform) {
            new (self) Handle(dataset.runtime, dataset.dataset, std::move(options), transform);
          },
          "dataset"_a, "options"_a, "transform"_a.none())
      .def_prop_ro("steps", [](const Handle& handle) { return handle.loader().steps(); })
      .def_prop_ro("remaining", [](const Handle& handle) { return handle.loader().remaining(); });
  DefineLoading(loader);
}

}  // namespace bucketline::python
