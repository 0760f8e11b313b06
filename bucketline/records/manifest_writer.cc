#include "bucketline/records/manifest_writer.h"

#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/records/label_codec.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

// The content that a fingerprint stands for, in a form of its own so that the file form may change under
// saved states.
void AppendCanonical(std::string* out, const Record& record) {
  AppendSized(out, record.key);
  AppendVarint(out, record.parts.size());
  for (const RecordPart& part : record.parts) {
    AppendSized(out, part.object_key);
    AppendFixed64(out, part.offset);
    AppendFixed64(out, part.length);
    AppendFixed64(out, part.object_size);
    AppendSized(out, part.etag);
    if (!part.version.empty()) AppendSized(out, part.version);
  }
}

}  // namespace

ManifestWriter::ManifestWriter(std::string source, std::vector<std::string> part_names)
    : run_(part_names.size()) {
  header_.source = std::move(source);
  header_.part_names = std::move(part_names);
}

void ManifestWriter::Add(const Record& record) {
  if (run_.records() > 0 && record.key == last_key_) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("the key \"{}\" was added twice", record.key),
                header_.source);
  }
  uint64_t bytes = 0;
  for (const RecordPart& part : record.parts) {
    bytes = AddLength(bytes, part.length, ErrorCode::kInvalidArgument);
    header_.versions = header_.versions || !part.version.empty();
    header_.checksums = header_.checksums || part.crc32c.has_value();
  }
  header_.total_bytes = AddLength(header_.total_bytes, bytes, ErrorCode::kInvalidArgument);
  if (bytes > header_.largest_record) {
    header_.largest_record = bytes;
    header_.largest_record_index = run_.records();
  }
  canonical_.clear();
  AppendCanonical(&canonical_, record);
  header_.fingerprint = StableHash64(canonical_, header_.fingerprint);
  run_.Add(record);
  last_key_ = record.key;
}

Bytes ManifestWriter::Finish() {
  run_.Finish();
  const std::string labels = EncodeLabels({});
  header_.records = run_.records();
  header_.blocks_size = run_.blocks().size();
  header_.labels_size = labels.size();
  header_.labels_checksum = StableHash64(labels);
  std::string table;
  for (size_t i = 0; i < run_.offsets().size(); ++i) {
    AppendFixed64(&table, run_.offsets()[i]);
    AppendFixed64(&table, BlockChecksum(run_.Block(i), i, header_.fingerprint));
  }
  return JoinManifest(header_, table, run_.blocks(), labels);
}

}  // namespace bucketline
