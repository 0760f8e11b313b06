#include "bucketline/records/shard_format.h"

#include <algorithm>
#include <array>

#include "bucketline/records/tar_format.h"

namespace bucketline {
namespace {

using namespace std::string_view_literals;

constexpr std::array kTarImages = {"jpg"sv, "jpeg"sv, "png"sv, "webp"sv, "gif"sv, "bmp"sv};

bool IsTar(std::string_view key) { return key.ends_with(".tar"); }

constexpr std::array<ShardFormat, 1> kFormats = {{
    {"tar", IsTar, ScanTar, kTarImages},
}};

}  // namespace

const ShardFormat* FindShardFormat(std::string_view name) {
  const auto found =
      std::find_if(kFormats.begin(), kFormats.end(), [&](const auto& f) { return f.name == name; });
  return found == kFormats.end() ? nullptr : &*found;
}

const ShardFormat* ShardFormatOf(std::string_view key) {
  const auto found =
      std::find_if(kFormats.begin(), kFormats.end(), [&](const auto& f) { return f.owns(key); });
  return found == kFormats.end() ? nullptr : &*found;
}

std::string ShardFormatNames() {
  std::string names;
  for (const ShardFormat& format : kFormats) names.append(names.empty() ? "" : " | ").append(format.name);
  return names;
}

}  // namespace bucketline
