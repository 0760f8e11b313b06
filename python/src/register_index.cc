// Index: listings that are saved, gone on with and refreshed, and what differs between two.
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/conversion.h"
#include "src/interruptible.h"
#include "src/registration.h"
#include "src/runtime_handle.h"
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bucketline/dataset/index.h"
#include "bucketline/dataset/listing_log.h"
#include "bucketline/dataset/listing_pace.h"
#include "bucketline/dataset/saved_manifest.h"
#include "bucketline/records/manifest_diff.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace bucketline::python {
namespace {

// An index on its way: where its listing is kept, and what was said of it.
class Indexing {
 public:
  // Sets what `options` need to open `uris`; they go on telling this object.
  Indexing(const RuntimeHandle& runtime, const std::vector<std::string>& uris, const IndexOptions& index,
           const std::string& inventory, DatasetOptions* options)
      : notes_(std::make_shared<Notes>()) {
    options->listing.note = [notes = notes_](const std::string& line) {
      const std::lock_guard lock(notes->mutex);
      notes->lines.push_back(line);
    };
    options->listing.inventory = inventory;
    state_ = Interruptible(
        [&](std::stop_token stop) {
          options->stop = std::move(stop);
          return PrepareIndex(*runtime.runtime, uris, index, options);
        },
        runtime.LookUp());
  }

  nb::list notes() const {
    const std::lock_guard lock(notes_->mutex);
    return Texts(notes_->lines);
  }

  // The manifest is saved.
  void Finish() const {
    if (!state_.empty()) RemoveListingLog(state_);
  }

 private:
  struct Notes {
    std::mutex mutex;
    std::vector<std::string> lines;
  };
  std::shared_ptr<Notes> notes_;
  std::string state_;
};

// (added, removed, changed, same, [(what, key), ...])
nb::tuple Diff(const RuntimeHandle& runtime, const nb::str& before, const nb::str& after, const S3Options& s3,
               bool keys) {
  const Uri from = Uri::Parse(Utf8(before));
  const Uri to = Uri::Parse(Utf8(after));
  std::vector<std::pair<const char*, std::string>> changes;
  const ManifestDifference difference = Interruptible(
      [&](const std::stop_token& stop) {
        DatasetOptions options;
        options.s3 = s3;
        options.stop = stop;
        const auto tell = [&](const Record* a, const Record* b) {
          if (!keys) return;
          const char* const what = a == nullptr ? "added" : b == nullptr ? "removed" : "changed";
          changes.emplace_back(what, (a != nullptr ? a : b)->key);
        };
        return DiffManifests(ReadManifest(*runtime.runtime, from, options),
                             ReadManifest(*runtime.runtime, to, options), tell, stop);
      },
      runtime.LookUp());
  nb::list told;
  for (const auto& [what, key] : changes) told.append(nb::make_tuple(what, Text(key)));
  return nb::make_tuple(difference.added, difference.removed, difference.changed, difference.same, told);
}

}  // namespace

void RegisterIndex(nb::module_& module) {
  nb::class_<Indexing>(module, "Indexing")
      .def(
          "__init__",
          [](Indexing* self, const RuntimeHandle& runtime, const std::vector<std::string>& uris,
             DatasetOptions& options, const nb::str& output, bool resume, const nb::str& state,
             const nb::str& since, const std::string& inventory) {
            const IndexOptions index{
                .output = Utf8(output), .resume = resume, .state = Utf8(state), .since = Utf8(since)};
            new (self) Indexing(runtime, uris, index, inventory, &options);
          },
          "runtime"_a, "uris"_a, "options"_a, "output"_a, "resume"_a, "state"_a, "since"_a, "inventory"_a)
      .def_prop_ro("notes", &Indexing::notes)
      .def("finish", &Indexing::Finish);
  module.def(
      "listing_text",
      [](uint64_t objects, double per_second, std::optional<uint64_t> left,
         std::optional<double> seconds_left) {
        return ListingText(
            {.objects = objects, .per_second = per_second, .left = left, .seconds_left = seconds_left});
      },
      "objects"_a, "per_second"_a, "left"_a.none(), "seconds_left"_a.none());
  module.def("diff", &Diff, "runtime"_a, "before"_a, "after"_a, "s3"_a, "keys"_a);
}

}  // namespace bucketline::python
