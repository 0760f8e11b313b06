// Training channels: where they are, and the stream that a Pipe is.
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/loader_handle.h"
#include "src/registration.h"
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "bucketline/dataset/channel_place.h"
#include "bucketline/dataset/stream.h"
#include "bucketline/loader/stream_loader.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace bucketline::python {
namespace {

const char* Environment(const char* name) { return std::getenv(name); }

struct StreamHandle {
  RuntimeHandle runtime;
  Stream stream;
};

StreamHandle OpenStream(const RuntimeHandle& runtime, const ChannelPlace& place,
                        std::vector<std::string> attributes, bool labels, std::vector<std::string> classes,
                        bool one_hot) {
  return {.runtime = runtime,
          .stream = Stream(*runtime.runtime, place,
                           {.attributes = std::move(attributes),
                            .labels = labels,
                            .classes = std::move(classes),
                            .one_hot = one_hot})};
}

}  // namespace

void RegisterStream(nb::module_& module) {
  nb::class_<ChannelPlace>(module, "ChannelPlace")
      .def_ro("name", &ChannelPlace::name)
      .def_ro("folder", &ChannelPlace::folder)
      .def_ro("is_pipe", &ChannelPlace::is_pipe)
      .def_ro("sharded", &ChannelPlace::sharded)
      .def_ro("hosts", &ChannelPlace::hosts);
  module.def("channel_name", &ChannelName, "uri"_a);
  module.def(
      "find_channel", [](const std::string& name) { return FindChannel(name, Environment); }, "name"_a);
  module.def(
      "find_channel_of", [](const std::string& folder) { return FindChannelOf(folder, Environment); },
      "folder"_a);
  module.def(
      "refuse_channel", [](const std::string& name) { throw NoSuchChannel(name, Environment); }, "name"_a);

  nb::class_<StreamHandle>(module, "Stream")
      .def_prop_ro("source", [](const StreamHandle& handle) { return handle.stream.source(); })
      .def_prop_ro("part_names", [](const StreamHandle& handle) { return handle.stream.part_names(); })
      .def_prop_ro("fingerprint", [](const StreamHandle& handle) { return handle.stream.fingerprint(); });
  module.def("open_stream", &OpenStream, "runtime"_a, "place"_a, "attributes"_a, "labels"_a, "classes"_a,
             "one_hot"_a);

  using Handle = LoaderHandle<StreamLoader, Stream>;
  nb::class_<Handle> loader(module, "StreamLoader");
  loader.def(
      "__init__",
      [](Handle* self, const StreamHandle& stream, LoaderOptions options, const nb::object& transform) {
        new (self) Handle(stream.runtime, stream.stream, std::move(options), transform);
      },
      "stream"_a, "options"_a, "transform"_a.none());
  DefineLoading(loader);
}

}  // namespace bucketline::python
