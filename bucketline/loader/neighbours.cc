#include "bucketline/loader/neighbours.h"

#include <algorithm>
#include <utility>

namespace bucketline {
namespace {

bool OfOneObject(const PartPlace& a, const PartPlace& b) {
  return a.store == b.store && a.pin == b.pin && a.part.object_key == b.part.object_key &&
         a.part.etag == b.part.etag && a.part.version == b.part.version &&
         a.part.object_size == b.part.object_size;
}

}  // namespace

bool Neighbours::Add(std::deque<FetchItem>& row) {
  const FetchItem& first = item_ ? *item_ : row.front();
  const std::optional<uint64_t> gap = first.place.store->joinable_gap();
  if (!gap) return false;
  const RecordPart& part = first.place.part;
  std::optional<Range> range = item_ ? range_ : Range{part.offset, part.offset + part.length};
  for (auto more = row.begin() + (item_ ? 0 : 1); more != row.end(); ++more) {
    range = With(*range, first, *more, *gap);
    if (!range) return false;
  }
  if (range->end - range->begin > most_bytes_) return false;
  range_ = *range;
  if (!item_) {
    item_ = std::move(row.front());
    row.pop_front();
  }
  for (FetchItem& more : row) {
    item_->neighbours.push_back({.tag = more.tag, .part = std::move(more.place.part)});
  }
  row.clear();
  return true;
}

std::optional<FetchItem> Neighbours::Take() { return std::exchange(item_, std::nullopt); }

std::optional<Neighbours::Range> Neighbours::With(const Range& range, const FetchItem& first,
                                                  const FetchItem& more, uint64_t gap) const {
  if (!OfOneObject(first.place, more.place)) return std::nullopt;
  const uint64_t begin = more.place.part.offset;
  const uint64_t end = begin + more.place.part.length;
  const bool after = begin >= range.end && begin - range.end <= gap;
  const bool before = end <= range.begin && range.begin - end <= gap;
  if (!after && !before) return std::nullopt;
  return Range{std::min(range.begin, begin), std::max(range.end, end)};
}

}  // namespace bucketline
