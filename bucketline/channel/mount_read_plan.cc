#include "bucketline/channel/mount_read_plan.h"

#include <algorithm>

namespace bucketline {
namespace {

constexpr uint64_t kSlack = uint64_t{2} << 20;         // a few reads of the kernel's largest size
constexpr uint64_t kFirstSlack = uint64_t{256} << 10;  // two of its usual size
// Pieces are of one size, so that their memory goes round: fresh pages cost more than all the rest of a read.
constexpr uint64_t kPiece = uint64_t{2} << 20;
// Who begins a file with a read of this length reads on; a shorter one may be after its header.
constexpr uint64_t kLongRead = uint64_t{128} << 10;
constexpr uint64_t kFirstWindow = uint64_t{4} << 20;

}  // namespace

bool MountReadPlan::Follows(uint64_t offset) const {
  if (!begun_) return offset == 0 || size_ <= kMountHead;
  const uint64_t slack = window_ == 0 ? kFirstSlack : kSlack;
  return offset + slack >= next_ && offset <= next_ + slack;
}

void MountReadPlan::Note(uint64_t offset, uint64_t length, uint64_t most) {
  const uint64_t end = offset + length;
  if (!Follows(offset)) {
    window_ = 0;
    run_ = offset;
    next_ = asked_ = end;
  } else {
    if (window_ != 0) asked_ = std::max(asked_, std::min(offset, next_));
    if (begun_ && window_ == 0) asked_ = offset;
    run_ = std::min(run_, offset);
    next_ = std::max(next_, end);
    const uint64_t least = run_ == 0 && length >= kLongRead ? kFirstWindow : kMountHead;
    window_ = std::min(std::max({4 * (next_ - run_), least, window_}), most);
  }
  begun_ = true;
}

void MountReadPlan::OpenAtBegin(uint64_t window) {
  begun_ = true;
  run_ = next_ = asked_ = 0;
  window_ = window;
}

std::optional<MountRange> MountReadPlan::Due() const {
  if (window_ == 0 || asked_ >= size_) return std::nullopt;
  const uint64_t piece = asked_ == 0 ? kMountHead : kPiece;
  const MountRange range{asked_, std::min(piece, size_ - asked_)};
  const bool due = range.end() <= next_ + window_ || (range.end() == size_ && asked_ < next_ + window_);
  return due ? std::optional(range) : std::nullopt;
}

uint64_t MountReadPlan::beyond_end() const {
  const bool all = window_ != 0 && run_ == 0 && asked_ >= size_;
  return all && next_ + window_ > size_ ? next_ + window_ - size_ : 0;
}

uint64_t MountReadPlan::behind() const { return window_ != 0 && next_ > kSlack ? next_ - kSlack : 0; }

}  // namespace bucketline
