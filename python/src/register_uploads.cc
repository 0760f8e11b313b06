// Uploads: what bucketline.Writer works with.
#include <chrono>
#include <memory>
#include <string>

#include "src/byte_view.h"
#include "src/conversion.h"
#include "src/exceptions.h"
#include "src/interruptible.h"
#include "src/place.h"
#include "src/registration.h"
#include "src/uploads.h"
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

namespace nb = nanobind;
using namespace nb::literals;

namespace bucketline::python {
namespace {

class UploadsHandle {
 public:
  UploadsHandle(const Place& below, uint64_t memory, size_t parallel) : place_(below) {
    place_.handle.CheckProcess();
    uploads_ = std::make_unique<Uploads>(place_.store, memory, parallel);
  }
  ~UploadsHandle() {
    if (!Catch([this] { place_.handle.CheckProcess(); }).ok()) {
      // In a forked child the threads to join do not exist.
      [[maybe_unused]] const Uploads* left = uploads_.release();
      return;
    }
    const nb::gil_scoped_release free;
    uploads_.reset();
  }
  UploadsHandle(const UploadsHandle&) = delete;
  UploadsHandle& operator=(const UploadsHandle&) = delete;

  void Put(const nb::str& name, nb::handle data, bool if_absent, const std::string& content_type) {
    const ByteView view(data);
    const std::string key = place_.key + Utf8(name);
    place_.Wait([&](std::stop_token stop) {
      uploads_->Put(key, view.span(), {.if_absent = if_absent, .content_type = content_type},
                    std::move(stop));
    });
  }
  bool Flush(double seconds) {
    const auto longest = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
    return place_.Wait([&](const std::stop_token& stop) { return uploads_->Flush(longest, stop); });
  }
  void GiveUp() {
    place_.handle.CheckProcess();
    const nb::gil_scoped_release free;
    uploads_->GiveUp();
  }
  // [(name, exception)]
  nb::list TakeFailures() {
    nb::list failures;
    for (const auto& [key, error] : uploads_->TakeFailures())
      failures.append(nb::make_tuple(Text(key.substr(place_.key.size())), ExceptionOf(error)));
    return failures;
  }
  uint64_t written() const { return uploads_->written(); }
  uint64_t peak() const { return uploads_->peak(); }

 private:
  const Place place_;
  std::unique_ptr<Uploads> uploads_;
};

}  // namespace

void RegisterUploads(nb::module_& module) {
  nb::class_<UploadsHandle>(module, "Uploads")
      .def(nb::init<const Place&, uint64_t, size_t>(), "below"_a, "memory"_a, "parallel"_a)
      .def("put", &UploadsHandle::Put, "name"_a, "data"_a, "if_absent"_a, "content_type"_a)
      .def("flush", &UploadsHandle::Flush, "seconds"_a)
      .def("give_up", &UploadsHandle::GiveUp)
      .def("take_failures", &UploadsHandle::TakeFailures)
      .def_prop_ro("written", &UploadsHandle::written)
      .def_prop_ro("memory_peak", &UploadsHandle::peak);
}

}  // namespace bucketline::python
