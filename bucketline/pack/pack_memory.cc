#include "bucketline/pack/pack_memory.h"

#include <algorithm>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"
#include "bucketline/pack/record_stream.h"

namespace bucketline {
namespace {

// Of the memory: smaller images need theirs decoded.
constexpr uint64_t kPixelsShare = 4;

uint64_t OfOneShard(const PackMemoryNeeds& needs) {
  const uint64_t record = std::max<uint64_t>(needs.largest_record, 1);
  return needs.writer + record + (needs.resize ? LargestResult(record) : 0);
}

}  // namespace

PackMemory DividePackMemory(const PackMemoryNeeds& needs, const std::string& largest_uri) {
  const uint64_t one = OfOneShard(needs);
  PackMemory divided;
  if (needs.resize) divided.pixels = needs.memory / kPixelsShare;
  const uint64_t left = needs.memory - divided.pixels;
  if (left < one) {
    const uint64_t least = needs.resize ? (one * kPixelsShare + kPixelsShare - 2) / (kPixelsShare - 1) : one;
    throw Error(ErrorCode::kResourceExhausted,
                fmt::format("a memory of {} is too small: {} bytes are the least, for a shard's upload of {} "
                            "and this, the largest record of {}",
                            FormatByteSize(needs.memory), least, FormatByteSize(needs.writer),
                            FormatByteSize(needs.largest_record)),
                largest_uri);
  }
  const uint64_t by_writers = needs.memory / 2 / std::max<uint64_t>(needs.writer, 1);
  divided.shards =
      static_cast<size_t>(std::clamp<uint64_t>(std::min(by_writers, left / one), 1, needs.most_shards));
  const uint64_t each = left / divided.shards - needs.writer;
  divided.record_bytes = each;
  if (needs.resize) {
    // As what is read and what may come of it stand to each other.
    divided.result_bytes = each - std::max(each / 5, std::max<uint64_t>(needs.largest_record, 1));
    divided.result_bytes =
        std::max(divided.result_bytes, LargestResult(std::max<uint64_t>(needs.largest_record, 1)));
    divided.record_bytes = each - divided.result_bytes;
  }
  return divided;
}

}  // namespace bucketline
