// Single objects: list, head, get, put, delete, and a writer.
#include <memory>
#include <optional>
#include <string>

#include "src/conversion.h"
#include "src/interruptible.h"
#include "src/registration.h"
#include "src/runtime_handle.h"
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "bucketline/base/error.h"
#include "bucketline/store/blocking.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace bucketline::python {
namespace {

// An object's place: the store of its URI, and its key there.
struct Place {
  RuntimeHandle handle;
  std::shared_ptr<ObjectStore> store;
  std::string key;

  Place(const RuntimeHandle& runtime, std::string_view text, const S3Options& s3) : handle(runtime) {
    const Uri uri = Uri::Parse(text);
    store = runtime.runtime->StoreFor(uri, s3);
    key = Runtime::KeyOf(uri);
  }

  template <typename Work>
  auto Wait(Work work) const {
    return Interruptible(
        [&](std::stop_token stop) {
          try {
            return work(stop);
          } catch (const Error& error) {
            throw error.WithUri(store->UriOf(key));
          }
        },
        handle.LookUp());
  }
};

nb::tuple AsTuple(const ObjectInfo& info) {
  const auto seconds = std::chrono::duration<double>(info.last_modified.time_since_epoch()).count();
  return nb::make_tuple(Text(info.key), info.size, info.etag, seconds);
}

nb::bytes Get(const Place& place, uint64_t offset, std::optional<uint64_t> length, uint64_t limit,
              const std::string& etag) {
  const Bytes data = place.Wait([&](std::stop_token stop) {
    GetRequest request{
        .key = place.key, .offset = offset, .length = length, .pin = {.etag = etag}, .stop = stop};
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
  for (const ObjectInfo& object : page.objects) objects.append(AsTuple(object));
  return nb::make_tuple(objects, Texts(page.prefixes), page.next_token);
}

// An ObjectWriter and what it needs. Writes wait for room, commits for the store; neither holds the GIL.
class Writer {
 public:
  Writer(Place place, bool if_absent, std::string content_type)
      : place_(std::move(place)),
        writer_(place_.store->OpenWriter(
            place_.key, {.if_absent = if_absent, .content_type = std::move(content_type)})) {}

  void Write(nb::bytes data) {
    const std::span<const uint8_t> span{reinterpret_cast<const uint8_t*>(data.c_str()), data.size()};
    place_.Wait([&](std::stop_token) { writer_->Write(span); });
  }
  nb::tuple Commit() {
    return AsTuple(place_.Wait([&](std::stop_token) { return writer_->Commit(); }));
  }
  void Abort() {
    const nb::gil_scoped_release free;
    writer_->Abort();
  }

 private:
  Place place_;
  std::unique_ptr<ObjectWriter> writer_;
};

}  // namespace

void RegisterStores(nb::module_& module) {
  nb::class_<Place>(module, "Place")
      .def(nb::init<const RuntimeHandle&, std::string_view, const S3Options&>(), "runtime"_a, "uri"_a, "s3"_a)
      .def("uri_of", [](const Place& place, const std::string& key) { return Text(place.store->UriOf(key)); })
      .def_prop_ro("key", [](const Place& place) { return Text(place.key); })
      .def("get", &Get, "offset"_a, "length"_a.none(), "limit"_a, "etag"_a)
      .def("head",
           [](const Place& place) {
             return AsTuple(place.Wait([&](std::stop_token) { return HeadObject(*place.store, place.key); }));
           })
      .def("delete",
           [](const Place& place) {
             place.Wait([&](std::stop_token) { DeleteObject(*place.store, place.key); });
           })
      .def("list", &List, "delimiter"_a, "token"_a)
      .def(
          "writer",
          [](const Place& place, bool if_absent, std::string content_type) {
            return new Writer(place, if_absent, std::move(content_type));
          },
          "if_absent"_a, "content_type"_a);

  nb::class_<Writer>(module, "Writer")
      .def("write", &Writer::Write)
      .def("commit", &Writer::Commit)
      .def("abort", &Writer::Abort);
}

}  // namespace bucketline::python
