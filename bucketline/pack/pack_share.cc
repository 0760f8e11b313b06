#include "bucketline/pack/pack_share.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The numbers on both sides of the mark.
std::optional<std::pair<uint64_t, uint64_t>> Two(std::string_view text, char mark) {
  const size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::optional<uint64_t> first = Number(text.substr(0, at));
  const std::optional<uint64_t> second = Number(text.substr(at + 1));
  if (!first || !second) return std::nullopt;
  return std::pair(*first, *second);
}

[[noreturn]] void Refuse(std::string_view text) {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("\"{}\" is no share of the shards; write 0/16 to 15/16, or numbers: 0-9,17", text));
}

}  // namespace

PackShare PackShare::Parse(std::string_view text) {
  PackShare share;
  if (const auto part = Two(text, '/')) {
    if (part->first >= part->second) Refuse(text);
    share.first_ = part->first;
    share.step_ = part->second;
    return share;
  }
  for (std::string_view rest = text;;) {
    const size_t comma = rest.find(',');
    const std::string_view piece = rest.substr(0, comma);
    if (const std::optional<uint64_t> one = Number(piece)) {
      share.ranges_.emplace_back(*one, *one);
    } else if (const auto range = Two(piece, '-'); range && range->first <= range->second) {
      share.ranges_.push_back(*range);
    } else {
      Refuse(text);
    }
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  std::sort(share.ranges_.begin(), share.ranges_.end());
  return share;
}

bool PackShare::Contains(uint64_t shard) const {
  if (step_ > 0) return shard % step_ == first_;
  return std::ranges::any_of(
      ranges_, [&](const auto& range) { return range.first <= shard && shard <= range.second; });
}

void PackShare::Check(uint64_t shards) const {
  for (const auto& [first, last] : ranges_) {
    if (last < shards) continue;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("there is no shard {}: the pack has {}, and the first is 0", last, shards));
  }
}

}  // namespace bucketline
