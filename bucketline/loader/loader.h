// Loader: batches of decoded images from a Dataset, in order, ahead of need, within a memory budget.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bucketline/base/clock.h"
#include "bucketline/base/units.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/image/spec.h"
#include "bucketline/loader/batch.h"
#include "bucketline/loader/transform.h"
#include "bucketline/sampler/mix.h"
#include "bucketline/sampler/sampling.h"
#include "bucketline/sampler/shard.h"

namespace bucketline {

enum class OnError {
  kRaise,  // Next throws the Error of the first bad sample, in order
  kSkip,   // the row is filled by another record, drawn from (seed, epoch, position, try)
  kMask,   // the row is zero and valid is 0
};

// A sample whose pinned bytes could not be used, and what stands in its place.
struct BadSample {
  uint64_t epoch = 0;
  uint64_t position = 0;
  std::string uri;
  std::string reason;
  std::string replaced_by;  // URI; empty when masked
};

// One part of every record, and what becomes of it.
struct FieldOptions {
  std::string part = {};  // one of Manifest::part_names(); names the field too
  bool decode = true;     // false: raw bytes, `image` is not used
  ImageSpec image = {};   // height and width are required next to a raw field
  // Another decoded field, e.g. the image of a mask: this one's crop box, flip and size are those drawn for it. A
  // sample whose two images differ in size is a bad sample. `image` then leaves size, crop, flip, orient and family
  // at their defaults.
  std::string same_geometry_as = {};
};

struct LoaderOptions {
  uint32_t batch_size = 32;  // per rank
  ImageSpec image = {};      // height and width are required unless every image has the same size
  bool decode = true;        // false: raw bytes, `image` is not used
  // For records of several parts: Batch::field gives each; `image` and `decode` are not used. A part that no field
  // names is not read. Empty: the first part, by `image` and `decode`.
  std::vector<FieldOptions> fields = {};
  // Called for each sample before it is normalised, or with its raw bytes; absent: none. Levels of the TensorFlow
  // family are rounded to bytes for it, also where it keeps them.
  Transform transform = {};
  bool shuffle = false;
  // How many shards (tars, TFRecord files, ...) are open together while shuffling, 1 to 2^32 - 1: an epoch takes them in a
  // random order, so many at a time, and puts their records in a random order among themselves
  // (sampler/window_order.h). Of raw objects 64 neighbouring keys count as a shard. 0: a shuffle of all records, which
  // is better and costs no more requests; a window keeps reads together for what caches, mounts or serves whole shards.
  // Only with `shuffle` and kAll. At construction all records are looked at once.
  uint64_t window = 0;
  // kBalanced needs labels that are classes or integers. All but kAll are random whatever `shuffle` says, and so end an
  // epoch as shuffling does.
  Sampling sampling = Sampling::kAll;
  // For kMix: the runs of the dataset's records, as Dataset::Concat puts them together, and their weights.
  std::vector<MixPart> mix = {};
  uint64_t seed = 0;
  // Positions of an epoch; 0: as many as there are records. For kAll only with `shuffle`, and at most so many: each epoch
  // is then another part of the records, and those that one order of all has room for have none in common.
  uint64_t epoch_size = 0;
  // How many epochs will be asked for: nothing is read for later ones, where Next gives nullopt again and again.
  // Absent: endless, and each epoch reads ahead into the next one, but into none after that. Given, the memory alone
  // limits how far is read ahead, which small datasets far away want.
  std::optional<uint64_t> epochs = {};
  std::optional<LastPolicy> last = {};  // absent: kDrop when the order is random, else kPartial
  uint64_t rank = 0;
  uint64_t world_size = 1;
  size_t threads = 0;  // for decoding; 0: as many as there are CPUs for this process
  // Decode threads stay on one CPU each, going round those of the process's affinity mask. Processes that share a
  // machine need a mask each, or they all crowd on the first CPUs.
  bool pin_threads = false;
  uint64_t memory =
      uint64_t{1} << 30;  // bytes held in flight: encoded records, scratch and batches not yet delivered
  // Gets in flight. A far store with a long tail needs more of them than its median says; below the Runtime's connections,
  // so that there is room for second reads of late ones.
  size_t max_requests = 192;
  OnError on_error = OnError::kRaise;
  double max_skipped =
      0.01;  // share of the epoch's records that may be skipped or masked before the run ends
  std::function<void(const BadSample&)> on_bad_sample = {};  // on an engine thread; must not call the
                                                             // loader's Restore, Close or destructor
  // Memory for batches, 64-byte aligned; absent: the engine's own, recycled. The deleter of the pointer frees
  // it.
  std::function<std::shared_ptr<void>(size_t bytes)> allocator = {};
  Duration stall_warning = std::chrono::seconds(60);  // Next logs a warning after waiting this long
};

struct StageStats {
  uint64_t count = 0;
  Duration wall{0};  // summed over threads
  Duration cpu{0};
};

// What a cache (docs/cache.md) did for a loader.
struct CacheUse {
  uint64_t hits = 0;
  uint64_t hit_bytes = 0;
  uint64_t misses = 0;
  uint64_t miss_bytes = 0;
  Duration wall{0};  // that reading hits took, and keeping pixels, summed over threads
};

struct LoaderStats {
  uint64_t batches = 0;  // delivered
  uint64_t images = 0;   // valid rows delivered
  uint64_t record_bytes = 0;
  uint64_t skipped = 0;
  uint64_t masked = 0;
  Duration wait{0};      // spent inside Next by the consumer
  Duration span{0};      // from the first call of Next to the end of the latest
  StageStats fetch;      // from reservation to last byte; of a stream, waiting for its writer
  StageStats decode;     // of kept pixels: what comes after decode and resize
  StageStats transform;  // on the decode threads, beside `decode`
  CacheUse cache;        // reads that a cache might answer; also in record_bytes and fetch
  CacheUse pixels;       // images whose pixels may be kept; those of hits were not read at all
  uint64_t budget_capacity = 0;
  uint64_t budget_peak = 0;
  uint64_t lent_bytes = 0;    // of batches that the user holds
  size_t decode_threads = 0;  // 0: records are neither decoded nor transformed
  size_t max_requests = 0;    // 0: of a stream
};

// One consumer at a time calls Next; the other members are thread-safe. The Dataset's Runtime outlives it.
class Loader {
 public:
  // Throws kInvalidArgument (an option out of range, an empty dataset), kResourceExhausted: `memory` is below
  // the largest record + 2 batches, naming the object and the minimum. Work starts with the first Next.
  // kInvalidArgument, too, for a random crop where the dataset's cache keeps pixels.
  Loader(Dataset dataset, LoaderOptions options);
  ~Loader();  // Close()
  Loader(Loader&&) noexcept;
  Loader& operator=(Loader&&) noexcept;

  // The next batch in order; nullopt once at the end of each epoch, after which it begins the next one.
  // Throws the Error of a sample (by on_error), of the store, TransformError when LoaderOptions::transform threw,
  // kCancelled after Close. After a throw the loader stays at the failed batch and Next throws the same again.
  std::optional<Batch> Next();

  // Waits until Next would answer without waiting, at most `longest`: false when it would still wait. For callers
  // that must look up now and then. Same threads as Next; throws kCancelled after Close.
  bool WaitFor(Duration longest);

  uint64_t epoch() const;      // of the next batch
  uint64_t steps() const;      // batches of this rank in a whole epoch
  uint64_t remaining() const;  // batches still to come in this epoch
  const Dataset& dataset() const;
  const LoaderOptions& options() const;

  // After the last delivered batch.
  LoaderState State() const;
  // Continues there, at any world size and batch size; the remaining positions are dealt anew. Throws
  // kInvalidArgument saying which of data, seed, shuffle, window, sampling, mix or epoch_size differ.
  void Restore(const LoaderState& state);

  // <bucketline/loader/verdict.h> says what they mean.
  LoaderStats Stats() const;

  // Stops and frees everything but delivered batches; returns within a few milliseconds. Idempotent.
  // Thread-safe: a Next that waits throws kCancelled.
  void Close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bucketline
