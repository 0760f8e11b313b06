// Dataset: opening, views, and what several become together.
#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
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

#include "bucketline/base/error.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/listing_pace.h"
#include "bucketline/records/shard_format.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace bucketline::python {
namespace {

// `progress` is None, or called with the number of objects listed, or samples indexed, so far, how many of late a second, and
// about how many are left and for how many seconds, or None for both.
DatasetHandle Open(const RuntimeHandle& runtime, const std::vector<std::string>& uris, DatasetOptions options,
                   nb::object progress) {
  std::mutex mutex;  // guards these two
  uint64_t listed = 0;
  std::optional<uint64_t> left;
  options.listing_left = [&](std::optional<uint64_t> now) {
    const std::lock_guard lock(mutex);
    left = now;
  };
  options.listing_progress = [&](uint64_t objects) {
    const std::lock_guard lock(mutex);
    listed = objects;
  };
  ListingPace pace;
  uint64_t told = 0;
  const auto look_up = [&] {
    runtime.logs->Drain();
    ListingProgress now;
    {
      const std::lock_guard lock(mutex);
      if (listed == told) return;
      told = listed;
      now = pace.Take(listed, left);
    }
    if (!progress.is_none()) progress(now.objects, now.per_second, now.left, now.seconds_left);
  };
  Dataset dataset = Interruptible(
      [&](std::stop_token stop) {
        options.stop = std::move(stop);
        if (uris.size() == 1 && uris.front().find('{') == std::string::npos)
          return Dataset::Open(*runtime.runtime, uris.front(), options);
        return Dataset::OpenAll(*runtime.runtime, uris, options);
      },
      look_up);
  return {.runtime = runtime, .dataset = std::move(dataset)};
}

DatasetHandle View(const DatasetHandle& of, Dataset dataset) {
  return {.runtime = of.runtime, .dataset = std::move(dataset)};
}

nb::list Views(const DatasetHandle& of, std::vector<Dataset> datasets) {
  nb::list views;
  for (Dataset& dataset : datasets) views.append(View(of, std::move(dataset)));
  return views;
}

nb::list Split(const DatasetHandle& handle, const std::vector<double>& fractions, uint64_t seed, SplitBy by) {
  return Views(handle, handle.dataset.Split(fractions, seed, by));
}

nb::list SplitGroups(const DatasetHandle& handle, const std::vector<double>& fractions, uint64_t seed,
                     const nb::callable& group) {
  return Views(handle, handle.dataset.SplitGroups(fractions, seed, [&](std::string_view key) {
    return nb::cast<std::string>(nb::str(group(Text(key))));
  }));
}

// The Runtime that all of them are read through.
const RuntimeHandle& OneRuntime(const std::vector<DatasetHandle>& handles) {
  for (const DatasetHandle& handle : handles) {
    if (handle.runtime.runtime == handles.front().runtime.runtime) continue;
    throw Error(ErrorCode::kInvalidArgument,
                "datasets of different runtimes do not go together; open them with one runtime",
                handle.dataset.source());
  }
  return handles.front().runtime;
}

DatasetHandle Concat(const std::vector<DatasetHandle>& handles, bool repeats) {
  const RuntimeHandle& runtime = OneRuntime(handles);
  std::vector<Dataset> datasets;
  datasets.reserve(handles.size());
  for (const DatasetHandle& handle : handles) datasets.push_back(handle.dataset);
  return {.runtime = runtime,
          .dataset = Dataset::Concat(datasets, repeats ? Repeats::kAllow : Repeats::kError)};
}

DatasetHandle Join(const std::vector<std::string>& names, const std::vector<DatasetHandle>& handles,
                   bool drop) {
  const RuntimeHandle& runtime = OneRuntime(handles);
  std::vector<std::pair<std::string, Dataset>> parts;
  parts.reserve(names.size());
  for (size_t i = 0; i < names.size(); ++i) parts.emplace_back(names[i], handles[i].dataset);
  return {.runtime = runtime, .dataset = Dataset::Join(parts, drop ? Missing::kDrop : Missing::kError)};
}

// (key, uri, data, size, etag)
nb::tuple Read(const DatasetHandle& handle, uint64_t index, size_t part) {
  const Sample sample =
      Interruptible([&](std::stop_token stop) { return handle.dataset.Read(index, part, std::move(stop)); },
                    handle.runtime.LookUp());
  return nb::make_tuple(Text(sample.key), Text(sample.uri), nb::bytes(sample.data.data(), sample.data.size()),
                        sample.size, Text(sample.etag));
}

nb::list Keys(const DatasetHandle& handle, uint64_t first, uint64_t count) {
  nb::list keys;
  for (uint64_t i = first; i < first + count; ++i) keys.append(Text(handle.dataset.Key(i)));
  return keys;
}

nb::list Uris(const DatasetHandle& handle, uint64_t first, uint64_t count, size_t part) {
  nb::list uris;
  for (uint64_t i = first; i < first + count; ++i) uris.append(Text(handle.dataset.UriAt(i, part)));
  return uris;
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
  nb::enum_<PinMode>(module, "PinMode")
      .value("etag", PinMode::kEtag)
      .value("version", PinMode::kVersion)
      .value("size", PinMode::kSize);
  nb::enum_<SplitBy>(module, "SplitBy").value("key", SplitBy::kKey).value("label", SplitBy::kLabel);

  nb::class_<DatasetHandle>(module, "Dataset")
      .def("__len__", [](const DatasetHandle& handle) { return handle.dataset.size(); })
      .def_prop_ro("source", [](const DatasetHandle& handle) { return Text(handle.dataset.source()); })
      .def_prop_ro("part_names", [](const DatasetHandle& handle) { return handle.dataset.part_names(); })
      .def_prop_ro("classes", [](const DatasetHandle& handle) { return Texts(handle.dataset.classes()); })
      .def_prop_ro("total_bytes", [](const DatasetHandle& handle) { return handle.dataset.total_bytes(); })
      .def_prop_ro("fingerprint", [](const DatasetHandle& handle) { return handle.dataset.fingerprint(); })
      .def_prop_ro("dropped", [](const DatasetHandle& handle) { return handle.dataset.dropped(); })
      .def("labels", &LabelArray)
      .def("keys", &Keys, "first"_a, "count"_a)
      .def("uris", &Uris, "first"_a, "count"_a, "part"_a)
      .def("read", &Read, "index"_a, "part"_a)
      .def("with_labels",
           [](const DatasetHandle& handle, const LabelColumn& labels) {
             return View(handle, handle.dataset.WithLabels(labels));
           })
      .def(
          "cached",
          [](const DatasetHandle& handle, const nb::str& folder, uint64_t size, bool pixels) {
            return View(handle,
                        handle.dataset.Cached({.folder = Utf8(folder), .size = size, .pixels = pixels}));
          },
          "folder"_a, "size"_a, "pixels"_a)
      .def("slice", [](const DatasetHandle& handle, uint64_t first,
                       uint64_t count) { return View(handle, handle.dataset.Slice(first, count)); })
      .def("select",
           [](const DatasetHandle& handle, const std::vector<uint64_t>& indices) {
             return View(handle, handle.dataset.Select(indices));
           })
      .def("without",
           [](const DatasetHandle& handle, const std::vector<std::string>& keys) {
             return View(handle, handle.dataset.Without(keys));
           })
      .def("filter",
           [](const DatasetHandle& handle, nb::callable keep) {
             return View(handle, handle.dataset.Filter([&](std::string_view key) {
               return nb::cast<bool>(nb::bool_(keep(Text(key))));
             }));
           })
      .def("split", &Split, "fractions"_a, "seed"_a, "by"_a)
      .def("split_groups", &SplitGroups, "fractions"_a, "seed"_a, "group"_a)
      .def(
          "save",
          [](const DatasetHandle& handle, const std::string& uri, const S3Options& s3) {
            Interruptible([&](std::stop_token stop) { handle.dataset.Save(uri, s3, std::move(stop)); },
                          handle.runtime.LookUp());
          },
          "uri"_a, "s3"_a);

  nb::class_<PartChoice>(module, "PartChoice").def_static("parse", [](const std::string& text) {
    return PartChoice::Parse(text);
  });

  nb::class_<DatasetOptions>(module, "DatasetOptions")
      .def(nb::init<>())
      .def_rw("labels", &DatasetOptions::labels)
      .def_rw("format", &DatasetOptions::format)
      .def_rw("split", &DatasetOptions::split)
      .def_rw("parts", &DatasetOptions::parts)
      .def("drop_missing", [](DatasetOptions& options) { options.missing = Missing::kDrop; })
      .def("skip_damaged", [](DatasetOptions& options) { options.damaged = Damaged::kSkip; })
      .def_rw("extensions", &DatasetOptions::extensions)
      .def_rw("pin", &DatasetOptions::pin)
      .def_rw("s3", &DatasetOptions::s3);

  module.def("shard_formats", &ShardFormatNames);
  module.def("open_dataset", &Open, "runtime"_a, "uris"_a, "options"_a, "progress"_a.none());
  module.def("concat", &Concat, "datasets"_a, "repeats"_a);
  module.def("join", &Join, "names"_a, "datasets"_a, "drop"_a);
}

}  // namespace bucketline::python
