// Join: records of several parts, put together by the stems of their keys.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bucketline/dataset/dataset.h"
#include "bucketline/records/labels.h"

namespace bucketline {

// One manifest whose records have a part of each dataset, and how many keys stayed without a partner.
struct JoinedRecords {
  Manifest manifest;
  uint64_t unmatched = 0;
};

// By the rules of Dataset::Join.
JoinedRecords JoinRecords(const std::vector<std::pair<std::string, Dataset>>& parts, Missing missing);

}  // namespace bucketline
