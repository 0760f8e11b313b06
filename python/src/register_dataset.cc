// Dataset and Labels.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "src/conversion.h"
#include "src/dataset_handle.h"
#include "src/interruptible.h"
#include "src/registration.h"
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "bucketline/dataset/dataset.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace bucketline::python {
namespace {

// `progress` is None, or called with the number of objects listed so far.
DatasetHandle Open(const RuntimeHandle& runtime, const std::string& uri, const Labels& labels,
                   std::vector<std::string> extensions, PinMode pin, const S3Options& s3,
                   nb::object progress) {
  const auto listed = std::make_shared<std::atomic<uint64_t>>(0);
  DatasetOptions options{.labels = labels, .extensions = std::move(extensions), .pin = pin, .s3 = s3};
  options.listing_progress = [listed](uint64_t objects) { *listed = objects; };
  uint64_t told = 0;
  const auto look_up = [&] {
    runtime.logs->Drain();
    const uint64_t now = *listed;
    if (progress.is_none() || now == told) return;
    told = now;
    progress(now);
  };
  Dataset dataset = Interruptible(
      [&](std::stop_token stop) {
        options.stop = std::move(stop);
        return Dataset::Open(*runtime.runtime, uri, options);
      },
      look_up);
  return {.runtime = runtime, .dataset = std::move(dataset)};
}

DatasetHandle View(const DatasetHandle& of, Dataset dataset) {
  return {.runtime = of.runtime, .dataset = std::move(dataset)};
}

// (key, uri, data, size, etag)
nb::tuple Read(const DatasetHandle& handle, uint64_t index) {
  const Sample sample =
      Interruptible([&](std::stop_token stop) { return handle.dataset.Read(index, std::move(stop)); },
                    handle.runtime.LookUp());
  return nb::make_tuple(Text(sample.key), Text(sample.uri), nb::bytes(sample.data.data(), sample.data.size()),
                        sample.size, Text(sample.etag));
}

nb::list Keys(const DatasetHandle& handle, uint64_t first, uint64_t count, bool whole) {
  nb::list keys;
  for (uint64_t i = first; i < first + count; ++i)
    keys.append(Text(whole ? handle.dataset.UriAt(i) : handle.dataset.Key(i)));
  return keys;
}

nb::object LabelArray(const DatasetHandle& handle) {
  const Dataset& dataset = handle.dataset;
  switch (dataset.label_kind()) {
    case LabelKind::kNone:
      return nb::none();
    case LabelKind::kClass:
    case LabelKind::kInteger: {
      std::vector<int64_t> labels(dataset.size());
      for (uint64_t i = 0; i < dataset.size(); ++i) labels[i] = dataset.LabelInteger(i);
      return ArrayOf(std::move(labels));
    }
    case LabelKind::kFloat:
    case LabelKind::kVector:
      break;
  }
  const size_t width = dataset.label_width();
  std::vector<float> labels(dataset.size() * width);
  for (uint64_t i = 0; i < labels.size(); ++i) labels[i] = dataset.LabelFloat(i / width, i % width);
  return ArrayOf(std::move(labels), dataset.label_kind() == LabelKind::kVector ? width : 0);
}

}  // namespace

void RegisterDataset(nb::module_& module) {
  nb::enum_<PinMode>(module, "PinMode").value("etag", PinMode::kEtag).value("size", PinMode::kSize);

  nb::class_<Labels>(module, "Labels")
      .def_static("none", &Labels::None)
      .def_static("folder", &Labels::Folder)
      .def_static("parent", &Labels::Parent)
      .def_static("table", &Labels::Table, "uri"_a, "key_field"_a, "label_field"_a)
      .def("classes", &Labels::Classes);

  nb::class_<DatasetHandle>(module, "Dataset")
      .def("__len__", [](const DatasetHandle& handle) { return handle.dataset.size(); })
      .def_prop_ro("source", [](const DatasetHandle& handle) { return Text(handle.dataset.source()); })
      .def_prop_ro("classes", [](const DatasetHandle& handle) { return Texts(handle.dataset.classes()); })
      .def_prop_ro("total_bytes", [](const DatasetHandle& handle) { return handle.dataset.total_bytes(); })
      .def_prop_ro("fingerprint", [](const DatasetHandle& handle) { return handle.dataset.fingerprint(); })
      .def("labels", &LabelArray)
      .def("keys", &Keys, "first"_a, "count"_a, "whole"_a)
      .def("read", &Read, "index"_a)
      .def("slice", [](const DatasetHandle& handle, uint64_t first,
                       uint64_t count) { return View(handle, handle.dataset.Slice(first, count)); })
      .def("filter",
           [](const DatasetHandle& handle, nb::callable keep) {
             return View(handle, handle.dataset.Filter([&](std::string_view key) {
               return nb::cast<bool>(nb::bool_(keep(Text(key))));
             }));
           })
      .def(
          "split",
          [](const DatasetHandle& handle, double fraction, uint64_t seed) {
            auto [first, second] = handle.dataset.Split(fraction, seed);
            return nb::make_tuple(View(handle, std::move(first)), View(handle, std::move(second)));
          },
          "fraction"_a, "seed"_a)
      .def(
          "save",
          [](const DatasetHandle& handle, const std::string& uri, const S3Options& s3) {
            Interruptible([&](std::stop_token stop) { handle.dataset.Save(uri, s3, std::move(stop)); },
                          handle.runtime.LookUp());
          },
          "uri"_a, "s3"_a);

  module.def("open_dataset", &Open, "runtime"_a, "uri"_a, "labels"_a, "extensions"_a, "pin"_a, "s3"_a,
             "progress"_a.none());
}

}  // namespace bucketline::python
