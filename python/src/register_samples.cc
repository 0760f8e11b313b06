// SampleReader: records by number, many at a time. What a DataLoader of another framework stands on.
#include <algorithm>
#include <array>
#include <latch>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "src/conversion.h"
#include "src/dataset_handle.h"
#include "src/interruptible.h"
#include "src/pixel_array.h"
#include "src/registration.h"
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/base/result.h"
#include "bucketline/exec/memory_budget.h"
#include "bucketline/exec/thread_pool.h"
#include "bucketline/image/decoder.h"
#include "bucketline/image/probe.h"
#include "bucketline/loader/skip_policy.h"
#include "bucketline/sampler/permutation.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace bucketline::python {
namespace {

constexpr std::align_val_t kAlignment{64};

// One record to read: its number, and what its augmentation is drawn from.
struct Wanted {
  uint64_t index = 0;
  CounterRng rng{0, 0, 0};
};

struct Pixels {
  std::shared_ptr<uint8_t[]> memory;
  ImageSpec spec;  // with the size of its rows
};

std::shared_ptr<uint8_t[]> AllocateRows(size_t bytes) {
  auto* memory = static_cast<uint8_t*>(::operator new[](std::max<size_t>(bytes, 1), kAlignment));
  return {memory, [](uint8_t* held) { ::operator delete[](held, kAlignment); }};
}

// What one call gives: the rows of a block when all have one size, else each in memory of its own, or raw bytes.
struct Samples {
  std::optional<Pixels> block;
  std::vector<Pixels> rows;
  std::vector<Bytes> raw;
  std::vector<std::optional<Error>> faults;  // by row: of bytes that cannot be decoded
};

// Reads with threads of its own, started by the first Read: as many as requests may run, of which `decoders` at a time
// decode. Encoded records of all calls together stay within `memory`, and a decode's scratch within the spec's
// max_memory. Thread-safe.
class SampleReader {
 public:
  SampleReader(const DatasetHandle& dataset, const std::optional<ImageSpec>& image, size_t requests,
               size_t decoders, uint64_t memory)
      : dataset_(dataset),
        image_(image),
        memory_(memory),
        decoders_(std::max<size_t>(decoders, 1)),
        requests_(requests) {
    if (image_) image_->Validate();
    if (dataset.dataset.largest_record() <= memory) return;
    throw Error(ErrorCode::kResourceExhausted,
                "memory=" + std::to_string(memory) + " is less than this record; give at least " +
                    std::to_string(dataset.dataset.largest_record()),
                dataset.dataset.largest_record_uri());
  }
  ~SampleReader() {
    // In a forked child the threads to join do not exist.
    if (getpid() != process_) {
      [[maybe_unused]] const ThreadPool* left = pool_.release();
      return;
    }
    const nb::gil_scoped_release free;
    pool_.reset();
  }

  // (samples, faults). The samples in the order of `indices`; keys[i] = (seed, epoch, position) of the i-th. `tolerate`:
  // rows whose bytes cannot be decoded are zero, or None where each has a size of its own, and stand in the faults as
  // (row, reason, uri). Throws the error of the first that failed, in that order, and kInternal after a fork.
  nb::tuple Read(const std::vector<uint64_t>& indices, const std::vector<std::array<uint64_t, 3>>& keys,
                 bool tolerate) {
    dataset_.runtime.CheckProcess();
    std::call_once(started_, [this] { pool_ = std::make_unique<ThreadPool>(requests_, "bl-sample"); });
    std::vector<Wanted> wanted(indices.size());
    for (size_t i = 0; i < wanted.size(); ++i)
      wanted[i] = {indices[i], CounterRng(keys[i][0], keys[i][1], keys[i][2])};
    const Samples samples =
        Interruptible([&](const std::stop_token& stop) { return ReadAll(wanted, tolerate, stop); },
                      dataset_.runtime.LookUp());
    return nb::make_tuple(Values(samples, wanted.size()), Faults(samples));
  }

 private:
  static nb::object Values(const Samples& samples, size_t count) {
    if (samples.block)
      return PixelArray(samples.block->memory.get(), samples.block->spec, count,
                        KeepAlive(samples.block->memory));
    nb::list list;
    for (const Pixels& row : samples.rows) {
      list.append(row.memory == nullptr ? nb::none()
                                        : PixelArray(row.memory.get(), row.spec, {}, KeepAlive(row.memory)));
    }
    for (const Bytes& bytes : samples.raw) list.append(nb::bytes(bytes.data(), bytes.size()));
    return list;
  }

  static nb::list Faults(const Samples& samples) {
    nb::list faults;
    for (size_t row = 0; row < samples.faults.size(); ++row) {
      const std::optional<Error>& fault = samples.faults[row];
      if (fault) faults.append(nb::make_tuple(row, Text(fault->message()), Text(fault->uri())));
    }
    return faults;
  }

  Samples ReadAll(const std::vector<Wanted>& wanted, bool tolerate, const std::stop_token& stop) {
    Samples samples;
    if (tolerate) samples.faults.resize(wanted.size());
    if (!image_) {
      samples.raw.resize(wanted.size());
    } else if (image_->height == 0) {
      samples.rows.resize(wanted.size());
    } else {
      samples.block = Pixels{AllocateRows(wanted.size() * image_->RowBytes()), *image_};
    }
    std::stop_source failed;  // nobody starts another record after an error
    const std::stop_callback stopped(stop, [&] { failed.request_stop(); });
    std::vector<std::optional<Error>> errors(wanted.size());
    std::latch done(static_cast<ptrdiff_t>(wanted.size()));
    for (size_t i = 0; i < wanted.size(); ++i) {
      const bool taken = pool_->Submit([&, i] {
        const Result<void> read = Catch([&] { ReadOne(wanted[i], i, samples, failed.get_token()); });
        if (!read) {
          errors[i] = read.error();
          failed.request_stop();
        }
        done.count_down();
      });
      if (!taken) done.count_down();
    }
    done.wait();
    ThrowFirst(errors);
    return samples;
  }

  // What others were stopped by comes before what stopping made of them.
  static void ThrowFirst(const std::vector<std::optional<Error>>& errors) {
    for (const bool cancelled : {false, true})
      for (const std::optional<Error>& error : errors)
        if (error && (error->code() == ErrorCode::kCancelled) == cancelled) throw *error;
  }

  void ReadOne(const Wanted& wanted, size_t i, Samples& samples, const std::stop_token& stop) {
    const Dataset& dataset = dataset_.dataset;
    const auto room = memory_.Acquire(dataset.RecordBytes(wanted.index), stop);
    if (!room) throw Error(ErrorCode::kCancelled, "the reading was stopped");
    const Bytes data = dataset.Read(wanted.index, 0, stop).data;
    if (!image_) {
      samples.raw[i] = data;
      return;
    }
    const auto turn = decoders_.Acquire(1, stop);
    if (!turn) throw Error(ErrorCode::kCancelled, "the reading was stopped");
    try {
      Decode(data.span(), wanted.rng, i, samples);
    } catch (const Error& error) {
      const Error named = error.WithUri(dataset.UriAt(wanted.index));
      if (samples.faults.empty() || !IsFaultOfBytes(error)) throw named;
      samples.faults[i] = named;
      if (samples.block) std::ranges::fill(RowOf(samples, i), uint8_t{0});
    }
  }

  std::span<uint8_t> RowOf(const Samples& samples, size_t i) const {
    const size_t row_bytes = image_->RowBytes();
    return {samples.block->memory.get() + i * row_bytes, row_bytes};
  }

  void Decode(std::span<const uint8_t> data, CounterRng rng, size_t i, Samples& samples) const {
    thread_local ImageDecoder decoder;
    if (samples.block) {
      decoder.DecodeInto(data, *image_, rng, RowOf(samples, i));
      return;
    }
    ImageSpec sized = *image_;
    const ImageInfo info = ProbeImage(data);
    RequireLimits(info, sized);
    const ImageSize size = OwnSize(info, sized);
    sized.height = size.height;
    sized.width = size.width;
    Pixels row{AllocateRows(sized.RowBytes()), sized};
    decoder.DecodeInto(data, *image_, rng, {row.memory.get(), sized.RowBytes()});
    samples.rows[i] = std::move(row);
  }

  const pid_t process_ = getpid();
  const DatasetHandle dataset_;
  const std::optional<ImageSpec> image_;
  MemoryBudget memory_;
  MemoryBudget decoders_;
  const size_t requests_;
  std::once_flag started_;
  std::unique_ptr<ThreadPool>
      pool_;  // from the first Read on; declared last: its threads end before the rest goes
};

// What Dataset.Open makes the same manifest of, in any process: also called in a forked child.
nb::bytes ManifestBytes(const DatasetHandle& handle) {
  const std::vector<Manifest>& manifests = handle.dataset.manifests().manifests();
  if (manifests.size() > 1 || handle.dataset.part_names().size() > 1) {
    throw Error(ErrorCode::kUnsupported,
                "a dataset of several sources or parts is not sent to another process; open it there, or use "
                "bucketline.Loader, which needs no workers",
                handle.dataset.source());
  }
  const Bytes bytes = manifests.front().ToBytes();
  return nb::bytes(bytes.data(), bytes.size());
}

// Of a view, ascending; None when the dataset is the whole manifest.
nb::object ManifestIndices(const DatasetHandle& handle) {
  if (handle.dataset.size() == handle.dataset.manifests().size()) return nb::none();
  std::vector<uint64_t> indices(handle.dataset.size());
  for (uint64_t i = 0; i < indices.size(); ++i) indices[i] = handle.dataset.manifest_index(i);
  return ArrayOf(std::move(indices));
}

// `count` record numbers of an epoch's order, from its position `first`.
nb::object EpochOrder(uint64_t n, uint64_t seed, uint64_t epoch, uint64_t first, uint64_t count) {
  const Permutation order(n, seed, epoch);
  std::vector<uint64_t> records(count);
  for (uint64_t i = 0; i < count; ++i) records[i] = order.At((first + i) % n);
  return ArrayOf(std::move(records));
}

}  // namespace

void RegisterSamples(nb::module_& module) {
  nb::class_<SampleReader>(module, "SampleReader")
      .def(nb::init<const DatasetHandle&, std::optional<ImageSpec>, size_t, size_t, uint64_t>(), "dataset"_a,
           "image"_a.none(), "requests"_a, "decoders"_a, "memory"_a)
      .def("read", &SampleReader::Read, "indices"_a, "keys"_a, "tolerate"_a);
  module.def("replacement_record", &ReplacementRecord, "seed"_a, "epoch"_a, "position"_a, "attempt"_a,
             "records"_a);
  module.attr("replacement_tries") = kReplacementTries;
  module.def("manifest_bytes", &ManifestBytes, "dataset"_a);
  module.def("manifest_indices", &ManifestIndices, "dataset"_a);
  module.def("epoch_order", &EpochOrder, "n"_a, "seed"_a, "epoch"_a, "first"_a, "count"_a);
}

}  // namespace bucketline::python
