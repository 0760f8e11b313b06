// PipelineParts: what a pipeline and its threads work with.
#pragma once

#include <cstdint>
#include <vector>

#include "bucketline/dataset/dataset.h"
#include "bucketline/exec/memory_budget.h"
#include "bucketline/loader/batch_pool.h"
#include "bucketline/loader/field.h"
#include "bucketline/loader/loader.h"
#include "bucketline/loader/memory_layout.h"
#include "bucketline/loader/pixel_tier.h"
#include "bucketline/loader/plan.h"
#include "bucketline/loader/row_maker.h"
#include "bucketline/loader/stats.h"

namespace bucketline {

// What it points to outlives the pipeline.
struct PipelineParts {
  Dataset dataset;
  LoaderOptions options;  // with `threads` set
  std::vector<Field> fields;
  Plan plan;
  MemoryNeeds needs;
  MemoryLayout layout;
  const PixelTier* pixels = nullptr;  // nullptr where none are kept
  uint64_t fingerprint = 0;           // of the dataset
  MemoryBudget* common = nullptr;     // counts every byte of all shares
  BatchPool* pool = nullptr;
  StatsCollector* stats = nullptr;

  bool works_on_rows() const { return WorksOnRows(options, fields, dataset.has_checksums()); }
  RowTools ToolsForRows(MemoryBudget& large) const {
    return {.options = &options,
            .fields = fields,
            .needs = &needs,
            .kept = layout.kept,
            .large = &large,
            .common = common,
            .stats = stats,
            .dataset = &dataset};
  }
};

}  // namespace bucketline
