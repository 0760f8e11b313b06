#include "bucketline/loader/probe_fields.h"

#include "bucketline/base/error.h"
#include "bucketline/base/result.h"
#include "bucketline/dataset/part_checksum.h"
#include "bucketline/image/probe.h"

namespace bucketline {
namespace {

Result<ImageInfo> ProbeWithinLimits(std::span<const uint8_t> data, const ImageSpec& spec) {
  return Catch([&] {
    const ImageInfo info = ProbeImage(data);
    RequireLimits(info, spec);
    return info;
  });
}

}  // namespace

std::optional<FieldFault> ProbeFields(std::span<const Field> fields, std::span<const Fetched> parts,
                                      std::span<const KeptPixels> pixels, std::span<ImageInfo> infos) {
  for (size_t i = 0; i < infos.size(); ++i) {
    if (!pixels.empty() && pixels[i].found) {
      infos[i] = pixels[i].info;
      continue;
    }
    if (const std::optional<Error> fault = ChecksumFault(parts[i].bytes.span(), parts[i].crc32c)) {
      return FieldFault{i, *fault};
    }
    if (!fields[i].decode) continue;
    const Result<ImageInfo> info = ProbeWithinLimits(parts[i].bytes.span(), fields[i].image);
    if (!info) return FieldFault{i, info.error()};
    infos[i] = *info;
  }
  return SizesThatDiffer(fields, infos);
}

std::vector<ImageSize> OwnSizes(std::span<const Field> fields, std::span<const ImageInfo> infos) {
  std::vector<ImageSize> sizes(fields.size());
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].decode) sizes[i] = OwnSize(infos[i], fields[i].image);
  }
  return sizes;
}

}  // namespace bucketline
