// ListInParallel: all objects below a prefix, with many requests at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "bucketline/store/list_schedule.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

struct ParallelListRequest {
  std::string prefix = {};
  std::vector<KeyRange> ranges = {KeyRange()};  // ascending and disjoint: keys elsewhere are left out
  bool versions = false;                        // as in ListRequest
  size_t width = 32;                            // requests at a time; 1 is page after page
  int page_keys = 1000;                         // 1..1000
  std::stop_token stop = {};
};

// Calls `take` on this thread for each page, in any order: its ranges are disjoint and together those of the request, so
// that every object comes exactly once. Ends early when `take` returns false. The first two pages are asked for one after
// the other, and what is listed in them costs no request more; in all there are at most about twice as many as pages.
// With a width of 1 nobody can tell what is left; else the last page tells 0.
// Throws the first error that the store gave, when no request is under way any more; kUnsupported when the store's keys
// are not in bytewise order.
void ListInParallel(ObjectStore& store, const ParallelListRequest& request,
                    const std::function<bool(ListedRange listed)>& take);

}  // namespace bucketline
