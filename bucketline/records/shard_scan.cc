#include "bucketline/records/shard_scan.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

struct Packing {
  std::string_view magic;
  std::string_view name;
};

constexpr std::array<Packing, 5> kPackings = {{
    {{"\x1f\x8b", 2}, "gzip"},
    {{"\x28\xb5\x2f\xfd", 4}, "zstd"},
    {{"BZh", 3}, "bzip2"},
    {{"\xfd"
      "7zXZ",
      5},
     "xz"},
    {{"\x04\x22\x4d\x18", 4}, "lz4"},
}};

}  // namespace

ShardDamage::ShardDamage(uint64_t offset, std::string what)
    : offset_(offset), what_(fmt::format("at byte {}: {}", offset, what)) {}

std::string_view ShardBytes::At(uint64_t offset, uint64_t length) {
  if (offset > size() || length > size() - offset) {
    throw ShardDamage(std::min(offset, size()),
                      fmt::format("{} bytes are needed here, and the shard ends at {}: it was "
                                  "cut off",
                                  length, size()));
  }
  return length == 0 ? std::string_view() : Read(offset, length);
}

std::string NumberedKey(uint64_t number) { return fmt::format("{:010}", number); }

void RefuseCompressed(ShardBytes& shard) {
  const std::string_view head = shard.At(0, std::min<uint64_t>(shard.size(), 6));
  for (const auto& [magic, name] : kPackings) {
    if (!head.starts_with(magic)) continue;
    throw Error(
        ErrorCode::kUnsupported,
        fmt::format("the shard is compressed with {}, so no sample in it can be read by itself; store it "
                    "unpacked (images are compressed already)",
                    name));
  }
}

}  // namespace bucketline
