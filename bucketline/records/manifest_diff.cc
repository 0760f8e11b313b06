#include "bucketline/records/manifest_diff.h"

#include <algorithm>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr uint64_t kRecordsAtOnce = 1024;

bool SamePart(const RecordPart& a, const RecordPart& b) {
  const bool same_version = a.version.empty() || b.version.empty() || a.version == b.version;
  return a.object_key == b.object_key && a.offset == b.offset && a.length == b.length &&
         a.object_size == b.object_size && a.etag == b.etag && same_version;
}

}  // namespace

const Record* ManifestCursor::Peek() {
  if (row_ == rows_.size()) {
    rows_ = manifest_.Range(read_, std::min(kRecordsAtOnce, manifest_.size() - read_));
    read_ += rows_.size();
    row_ = 0;
  }
  return row_ < rows_.size() ? &rows_[row_] : nullptr;
}

bool SameRecord(const Record& a, const Record& b) {
  return a.key == b.key &&
         std::equal(a.parts.begin(), a.parts.end(), b.parts.begin(), b.parts.end(), SamePart);
}

ManifestDifference DiffManifests(const Manifest& before, const Manifest& after,
                                 const std::function<void(const Record* before, const Record* after)>& tell,
                                 const std::stop_token& stop) {
  ManifestDifference difference;
  ManifestCursor left(before);
  ManifestCursor right(after);
  for (;;) {
    if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "the comparison was stopped");
    const Record* a = left.Peek();
    const Record* b = right.Peek();
    if (a == nullptr && b == nullptr) return difference;
    if (a != nullptr && b != nullptr && a->key != b->key) (a->key < b->key ? b : a) = nullptr;
    if (a == nullptr) {
      ++difference.added;
    } else if (b == nullptr) {
      ++difference.removed;
    } else if (SameRecord(*a, *b)) {
      ++difference.same;
    } else {
      ++difference.changed;
    }
    const bool same = a != nullptr && b != nullptr && SameRecord(*a, *b);
    if (tell && !same) tell(a, b);
    if (a != nullptr) left.Pop();
    if (b != nullptr) right.Pop();
  }
}

}  // namespace bucketline
