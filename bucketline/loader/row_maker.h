// RowMaker: the bytes of one record -> its row: decoded, transformed, laid out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "bucketline/base/bytes.h"
#include "bucketline/base/error.h"
#include "bucketline/base/result.h"
#include "bucketline/image/decoder.h"
#include "bucketline/loader/decode_worker.h"
#include "bucketline/loader/field.h"
#include "bucketline/loader/loader.h"
#include "bucketline/loader/memory_layout.h"
#include "bucketline/loader/open_batch.h"
#include "bucketline/loader/pixel_tier.h"
#include "bucketline/loader/stats.h"
#include "bucketline/loader/transform.h"

namespace bucketline {

// What rows are made with. What it points to outlives every RowMaker.
struct RowTools {
  const LoaderOptions* options = nullptr;  // with `threads` set
  std::span<const Field> fields;
  const MemoryNeeds* needs = nullptr;
  uint64_t kept = 0;               // scratch that all threads together keep
  MemoryBudget* large = nullptr;   // the scratch of rows that need more than their thread keeps
  MemoryBudget* common = nullptr;  // counts every byte
  StatsCollector* stats = nullptr;
  const Dataset* dataset = nullptr;  // of a transform's samples; nullptr where there is no transform
};

// The record that a row is made of. By field.
struct RowSource {
  std::vector<Bytes> bytes;
  std::vector<ImageInfo> infos;  // of those that are decoded
  std::span<const KeptPixels>
      pixels;  // empty where none are kept; of those that were found there are no bytes
};

enum class RowEnd {
  kMade,     // the row is there, or its value
  kBad,      // a fault of the bytes, or one that the transform found
  kGone,     // pixels that were found are not there any more: it needs its bytes
  kStopped,  // nobody waits for the row any more
};

struct RowOutcome {
  RowEnd end = RowEnd::kMade;
  std::optional<FieldFault> fault = {};  // of kBad
};

// One per decode thread; not thread-safe.
class RowMaker {
 public:
  explicit RowMaker(const RowTools& tools);

  // Fills the row of each field, its geometry and, when the transform gives one, its value. Precondition: the
  // sizes of the batch's rows are known. Throws what is no fault of the bytes: kResourceExhausted when the scratch
  // can never be had, what the allocator threw, TransformError.
  RowOutcome Make(OpenBatch& batch, uint32_t row, const RowSource& source, std::stop_token stop);

 private:
  struct Need {
    uint64_t bytes = 0;  // of scratch
    size_t largest = 0;  // the field that asks for most of it
  };
  uint64_t ScratchOf(const RowSource& source, size_t field, const TensorPlace& place) const;
  Need NeedOf(const OpenBatch& batch, const RowSource& source) const;
  RowOutcome Fill(OpenBatch& batch, uint32_t row, const RowSource& source, Workbench& bench);
  Result<RowEnd> Decode(OpenBatch& batch, uint32_t row, size_t field, const RowSource& source,
                        Workbench& bench);
  std::optional<ImageGeometry> ByBase(const RowSource& source, size_t field, const ImageSpec& spec,
                                      const TensorPlace& place, CounterRng rng, std::span<uint8_t> target,
                                      Workbench& bench);
  RowOutcome Transform(OpenBatch& batch, uint32_t row, const RowSource& source, Workbench& bench);
  TransformResult CallTransform(TransformSample& sample) const;
  void Keep(OpenBatch& batch, uint32_t row, const RowSource& source, Workbench& bench);
  size_t LevelsBefore(const OpenBatch& batch, size_t field) const;
  std::span<uint8_t> LevelsOfField(const OpenBatch& batch, size_t field, Workbench& bench) const;

  const RowTools tools_;
  DecodeWorker worker_;
};

}  // namespace bucketline
