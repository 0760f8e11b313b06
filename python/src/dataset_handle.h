// DatasetHandle: a Dataset and the Runtime that must outlive it.
#pragma once

#include "src/runtime_handle.h"

#include "bucketline/dataset/dataset.h"

namespace bucketline::python {

struct DatasetHandle {
  RuntimeHandle runtime;
  Dataset dataset;
};

}  // namespace bucketline::python
