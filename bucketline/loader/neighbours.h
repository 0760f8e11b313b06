// Neighbours: rows whose parts lie close together in one object are read with one Get.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "bucketline/dataset/fetcher.h"

namespace bucketline {

// Joins rows that follow each other. Only whole rows, so that no row waits for bytes that a Get it shares holds; only
// parts that the store calls joinable, without overlap, in a range of at most `most_bytes`.
class Neighbours {
 public:
  explicit Neighbours(uint64_t most_bytes) : most_bytes_(most_bytes) {}

  // Takes the items of a row, one at least, if they can be read with those taken before; else leaves them.
  bool Add(std::deque<FetchItem>& row);

  // What was taken, as one item; absent when nothing was. Begins anew.
  std::optional<FetchItem> Take();

 private:
  struct Range {
    uint64_t begin = 0;
    uint64_t end = 0;
  };
  // The range with the part in it; absent when the two are not to be read as one.
  std::optional<Range> With(const Range& range, const FetchItem& first, const FetchItem& more,
                            uint64_t gap) const;

  const uint64_t most_bytes_;
  std::optional<FetchItem> item_;
  Range range_;
};

}  // namespace bucketline
