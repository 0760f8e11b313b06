// What training channels read: RecordIO, manifests, gzip.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/harnesses.h"

#include "bucketline/base/error.h"
#include "bucketline/channel/augmented_manifest.h"
#include "bucketline/channel/manifest_file.h"
#include "bucketline/records/gzip_inflater.h"
#include "bucketline/records/recordio.h"

namespace bucketline::fuzz {
namespace {

using Records = std::vector<std::vector<uint8_t>>;

// nullopt when the stream is wrong.
std::optional<Records> Decode(std::span<const uint8_t> stream, RecordIoJoin join, size_t step) {
  constexpr uint64_t kLargest = 1 << 16;
  Records records;
  RecordIoDecoder decoder(join, kLargest);
  try {
    while (!stream.empty()) {
      const auto now = stream.first(std::min(step, stream.size()));
      decoder.Feed(
          now, [&](std::span<const uint8_t> record) { records.emplace_back(record.begin(), record.end()); });
      stream = stream.subspan(now.size());
    }
    decoder.Finish();
  } catch (const Error&) {
    return std::nullopt;
  }
  return records;
}

std::optional<std::string> Inflate(std::span<const uint8_t> stream, size_t step) {
  std::string text;
  GzipInflater inflater;
  try {
    while (!stream.empty()) {
      const auto now = stream.first(std::min(step, stream.size()));
      inflater.Feed(now, [&](std::span<const uint8_t> bytes) { text.append(bytes.begin(), bytes.end()); });
      stream = stream.subspan(now.size());
    }
    inflater.Finish();
  } catch (const Error&) {
    return std::nullopt;
  }
  return text;
}

}  // namespace

// However the stream comes, its records are the same; and they come back when they are framed anew.
void FuzzRecordIo(std::span<const uint8_t> data) {
  for (const RecordIoJoin join : {RecordIoJoin::kPlain, RecordIoJoin::kWithMagic}) {
    const std::optional<Records> whole = Decode(data, join, SIZE_MAX);
    if (Decode(data, join, 1) != whole || Decode(data, join, 7) != whole) std::abort();
    if (!whole) continue;
    std::vector<uint8_t> framed;
    for (const auto& record : *whole) {
      RecordIoEncoder(record.size()).Write(record, [&](std::span<const uint8_t> bytes) {
        framed.insert(framed.end(), bytes.begin(), bytes.end());
      });
    }
    if (Decode(framed, RecordIoJoin::kPlain, SIZE_MAX) != whole) std::abort();
  }
}

void FuzzChannelManifest(std::span<const uint8_t> data) {
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  try {
    const ManifestFile file = ParseManifestFile(text);
    if (file.prefix.empty() || file.suffixes.size() == 0) std::abort();
  } catch (const Error&) {
  }
  try {
    const AugmentedManifest manifest = ParseAugmentedManifest(text, {"source-ref", "label"});
    const size_t references = manifest.references.size();
    if (manifest.attributes.size() != 2 * references || manifest.values.size() != references ||
        manifest.reference_lines.size() != references) {
      std::abort();
    }
  } catch (const Error&) {
  }
}

void FuzzGzip(std::span<const uint8_t> data) {
  if (Inflate(data, SIZE_MAX) != Inflate(data, 3)) std::abort();
}

}  // namespace bucketline::fuzz
