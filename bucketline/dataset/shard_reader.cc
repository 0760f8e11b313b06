#include "bucketline/dataset/shard_reader.h"

#include <algorithm>
#include <utility>

#include "bucketline/dataset/pinning.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr uint64_t kWindow = uint64_t{4} << 20;
constexpr uint64_t kProbe = uint64_t{64} << 10;  // after a leap: a header and those of small members after it
// A request takes about as long as reading this much more.
constexpr uint64_t kLeap = uint64_t{1} << 20;

}  // namespace

ShardReader::ShardReader(ObjectStore& store, RecordPart shard, PinMode pin, std::stop_token stop)
    : store_(store), shard_(std::move(shard)), pin_(pin), stop_(std::move(stop)) {}

std::string_view ShardReader::Read(uint64_t offset, uint64_t length) {
  if (offset < first_ || offset - first_ > window_.size() || length > window_.size() - (offset - first_)) {
    Load(offset, length);
  }
  return window_.view().substr(offset - first_, length);
}

void ShardReader::Load(uint64_t offset, uint64_t length) {
  const uint64_t end = first_ + window_.size();
  const bool goes_on = offset >= first_ && offset <= end + kLeap;
  const uint64_t wanted = std::max(length, goes_on ? kWindow : kProbe);
  RecordPart range = shard_;
  range.offset = offset;
  range.length = std::min(wanted, size() - offset);
  GetRequest request = PinnedGet(range, pin_);
  request.stop = stop_;
  window_ = {};  // before the next one is there: one at a time
  try {
    window_ = GetBytes(store_, std::move(request), range.length);
  } catch (const Error& error) {
    throw ExplainPin(error.WithUri(store_.UriOf(shard_.object_key)), pin_);
  }
  first_ = offset;
}

}  // namespace bucketline
