// Labels: the rules that the engine follows, and columns of values that Python worked out.
#include <optional>
#include <string>
#include <vector>

#include "src/registration.h"
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bucketline/records/label_column.h"
#include "bucketline/records/labels.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace bucketline::python {
namespace {

template <typename T, size_t kDimensions>
using Array = nb::ndarray<const T, nb::ndim<kDimensions>, nb::c_contig, nb::device::cpu>;

template <typename T, size_t kDimensions>
std::vector<T> Values(const Array<T, kDimensions>& array) {
  return {array.data(), array.data() + array.size()};
}

}  // namespace

void RegisterLabels(nb::module_& module) {
  nb::class_<Labels>(module, "Labels")
      .def_static("none", &Labels::None)
      .def_static("folder", &Labels::Folder)
      .def_static("parent", &Labels::Parent)
      .def_static("table", &Labels::Table, "uri"_a, "key_field"_a, "label_field"_a)
      .def_static("table_text", &Labels::TableText, "json"_a)
      .def_static("sidecar", &Labels::Sidecar, "name"_a, "label_field"_a)
      .def_static("member", &Labels::Member, "name"_a, "label_field"_a)
      .def("set_classes",
           [](Labels& labels, std::vector<std::string> names) { labels.Classes(std::move(names)); })
      .def("match_names", [](Labels& labels) { labels.Match(KeyMatch::kName); })
      .def("drop_missing", [](Labels& labels) { labels.IfMissing(Missing::kDrop); })
      .def("one_hot", [](Labels& labels) { labels.OneHot(); });

  nb::class_<LabelColumn>(module, "LabelColumn").def("one_hot", [](const LabelColumn& column) {
    return OneHotLabels(column);
  });
  module.def(
      "class_labels",
      [](const std::vector<std::string>& names, const std::optional<std::vector<std::string>>& classes) {
        return ClassLabels(names, classes);
      },
      "names"_a, "classes"_a.none());
  module.def("integer_labels",
             [](const Array<int64_t, 1>& values) { return IntegerLabels(Values<int64_t, 1>(values)); });
  module.def("float_labels",
             [](const Array<float, 1>& values) { return FloatLabels(Values<float, 1>(values)); });
  module.def("vector_labels", [](const Array<float, 2>& values) {
    return VectorLabels(Values<float, 2>(values), values.shape(1));
  });
}

}  // namespace bucketline::python
