// Single objects: list, head, get, put, delete, and a writer.
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include "src/byte_view.h"
#include "src/conversion.h"
#include "src/interruptible.h"
#include "src/place.h"
#include "src/registration.h"
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "bucketline/base/error.h"
#include "bucketline/store/blocking.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace bucketline::python {
namespace {

// (key, uri, size, etag, seconds since 1970)
nb::tuple AsTuple(const Place& place, const ObjectInfo& info) {
  const auto seconds = std::chrono::duration<double>(info.last_modified.time_since_epoch()).count();
  return nb::make_tuple(Text(info.key), Text(place.store->UriOf(info.key)), info.size, Text(info.etag),
                        seconds);
}

nb::bytes Get(const Place& place, uint64_t offset, std::optional<uint64_t> length, uint64_t limit,
              const std::string& etag) {
  const Bytes data = place.Wait([&](std::stop_token stop) {
    GetRequest request{
        .key = place.key, .offset = offset, .length = length, .pin = {.etag = etag}, .stop = std::move(stop)};
    return GetBytes(*place.store, std::move(request), limit);
  });
  return nb::bytes(data.data(), data.size());
}

nb::tuple List(const Place& place, const std::string& delimiter, const std::string& token) {
  const ListPage page = place.Wait([&](std::stop_token stop) {
    return ListOnePage(
        *place.store, {.prefix = place.key, .delimiter = delimiter, .token = token, .stop = std::move(stop)});
  });
  nb::list objects;
  for (const ObjectInfo& object : page.objects) objects.append(AsTuple(place, object));
  return nb::make_tuple(objects, Texts(page.prefixes), page.next_token);
}

nb::tuple Put(const Place& place, nb::handle data, bool if_absent, const std::string& content_type) {
  const ByteView view(data);
  return AsTuple(place, place.Wait([&](std::stop_token stop) {
    return PutBytes(*place.store, place.key, view.span(),
                    {.if_absent = if_absent, .content_type = content_type, .stop = std::move(stop)});
  }));
}

// An ObjectWriter and what it needs. Its calls wait for the store, without the GIL.
class Writer {
 public:
  Writer(const Place& place, bool if_absent, std::string content_type) : place_(place) {
    place_.handle.CheckProcess();
    writer_ = place_.store->OpenWriter(
        place_.key,
        {.if_absent = if_absent, .content_type = std::move(content_type), .stop = stop_.get_token()});
  }
  ~Writer() {
    if (!Catch([this] { place_.handle.CheckProcess(); }).ok()) {
      // In a forked child nobody would tell the store.
      [[maybe_unused]] const ObjectWriter* left = writer_.release();
      return;
    }
    const nb::gil_scoped_release free;
    writer_.reset();
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void Write(nb::handle data) {
    const ByteView view(data);
    Wait([&] { writer_->Write(view.span()); });
  }
  nb::tuple Commit() {
    return AsTuple(place_, Wait([&] { return writer_->Commit(); }));
  }
  void Abort() {
    const nb::gil_scoped_release free;
    writer_->Abort();
  }

 private:
  template <typename Work>
  std::invoke_result_t<Work> Wait(Work work) {
    return place_.Wait([&](const std::stop_token& interrupted) {
      const std::stop_callback pass_on(interrupted, [this] { stop_.request_stop(); });
      return work();
    });
  }

  const Place place_;
  std::stop_source stop_;
  std::unique_ptr<ObjectWriter> writer_;
};

}  // namespace

void RegisterStores(nb::module_& module) {
  nb::class_<Place>(module, "Place")
      .def(nb::init<const RuntimeHandle&, const nb::str&, const S3Options&>(), "runtime"_a, "uri"_a, "s3"_a)
      .def_prop_ro("key", [](const Place& place) { return Text(place.key); })
      .def_prop_ro("uri", [](const Place& place) { return Text(place.store->UriOf(place.key)); })
      .def("uri_of",
           [](const Place& place, const nb::str& key) { return Text(place.store->UriOf(Utf8(key))); })
      .def("get", &Get, "offset"_a, "length"_a.none(), "limit"_a, "etag"_a)
      .def("head",
           [](const Place& place) {
             return AsTuple(place, place.Wait([&](const std::stop_token& stop) {
               return HeadObject(*place.store, place.key, stop);
             }));
           })
      .def("delete",
           [](const Place& place) {
             place.Wait([&](const std::stop_token& stop) { DeleteObject(*place.store, place.key, stop); });
           })
      .def("list", &List, "delimiter"_a, "token"_a)
      .def("put", &Put, "data"_a, "if_absent"_a, "content_type"_a);

  nb::class_<Writer>(module, "Writer")
      .def(nb::init<const Place&, bool, std::string>(), "place"_a, "if_absent"_a, "content_type"_a)
      .def("write", &Writer::Write, "data"_a)
      .def("commit", &Writer::Commit)
      .def("abort", &Writer::Abort);
}

}  // namespace bucketline::python
