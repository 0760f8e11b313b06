#include "bucketline/records/shard_format.h"

#include <algorithm>
#include <array>

#include "bucketline/records/mds_format.h"
#include "bucketline/records/parquet_format.h"
#include "bucketline/records/recordio_format.h"
#include "bucketline/records/tar_format.h"
#include "bucketline/records/tfrecord_format.h"

namespace bucketline {
namespace {

using namespace std::string_view_literals;

constexpr std::array kTarImages = {"jpg"sv, "jpeg"sv, "png"sv, "webp"sv, "gif"sv, "bmp"sv};

bool IsTar(std::string_view key) { return key.ends_with(".tar"); }

constexpr std::array kFeatureImages = {"image/encoded"sv, "image"sv, "image_raw"sv, "image_bytes"sv,
                                       "jpg"sv,           "jpeg"sv,  "png"sv};

// "x.tfrec", "x.tfrecord", "x.tfrecords", "x.tfrecord-00000-of-00004". Shards under other names, "train-00000-of-01024",
// are read where their URIs and the format are given.
bool IsTfRecord(std::string_view key) {
  const std::string_view name = key.substr(key.rfind('/') + 1);
  return name.ends_with(".tfrec") || name.ends_with(".tfrecord") || name.ends_with(".tfrecords") ||
         name.find(".tfrecord-") != std::string_view::npos;
}

bool IsRecordIo(std::string_view key) { return key.ends_with(".rec"); }
bool IsMds(std::string_view key) { return key.ends_with(".mds"); }

bool IsParquet(std::string_view key) { return key.ends_with(".parquet"); }

// "image" is a column of bytes, or of structs with a field "bytes".
constexpr std::array kColumnImages = {"image"sv, "img"sv,  "image_bytes"sv, "image/encoded"sv, "image_raw"sv,
                                      "jpg"sv,   "jpeg"sv, "png"sv,         "bytes"sv};

constexpr std::array<ShardFormat, 5> kFormats = {{
    {"tar", IsTar, ScanTar, kTarImages},
    {"tfrecord", IsTfRecord, ScanTfRecord, kFeatureImages},
    {"recordio", IsRecordIo, ScanRecordIo, kFeatureImages},
    {"mds", IsMds, ScanMds, kFeatureImages},
    {"parquet", IsParquet, ScanParquet, kColumnImages},
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
