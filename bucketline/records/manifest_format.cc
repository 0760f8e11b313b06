#include "bucketline/records/manifest_format.h"

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/base/random.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

constexpr std::string_view kMagic("BLmanif\n", 8);
constexpr uint32_t kPlain = 1;  // version of the format; what parts have adds to it
constexpr uint32_t kVersions = 1;
constexpr uint32_t kChecksums = 2;
constexpr uint32_t kLast = kPlain + kVersions + kChecksums;
constexpr size_t kPreludeSize = 8 + 4 + 4 + 8;
constexpr size_t kEntrySize = 16;
constexpr uint32_t kMostBlockRecords = 1 << 16;

[[noreturn]] void ThrowCorrupt(std::string message) {
  throw Error(ErrorCode::kCorruptData, std::move(message));
}

uint64_t HeaderChecksum(std::string_view magic_to_size, std::string_view header) {
  return StableHash64(header, StableHash64(magic_to_size));
}

ManifestHeader DecodeFields(std::string_view bytes) {
  ByteReader reader(bytes);
  ManifestHeader header;
  header.records = reader.Varint();
  const uint64_t block_records = reader.Varint();
  if (block_records == 0 || block_records > kMostBlockRecords) {
    ThrowCorrupt(fmt::format("the manifest has blocks of {} records", block_records));
  }
  header.block_records = static_cast<uint32_t>(block_records);
  header.total_bytes = reader.Varint();
  header.largest_record = reader.Varint();
  header.largest_record_index = reader.Varint();
  header.fingerprint = reader.Fixed64();
  header.blocks_size = reader.Varint();
  header.labels_size = reader.Varint();
  header.labels_checksum = reader.Fixed64();
  header.source = reader.Sized();
  header.part_names.clear();
  for (uint64_t left = reader.Varint(); left > 0; --left) header.part_names.emplace_back(reader.Sized());
  if (header.part_names.empty()) ThrowCorrupt("the manifest's records have no parts");
  if (!reader.done()) ThrowCorrupt("the manifest's header has bytes that mean nothing");
  if (header.records == 0 ? header.largest_record_index != 0
                          : header.largest_record_index >= header.records) {
    ThrowCorrupt("the manifest's largest record is not one of its records");
  }
  return header;
}

}  // namespace

std::string EncodeManifestHeader(const ManifestHeader& header) {
  std::string fields;
  AppendVarint(&fields, header.records);
  AppendVarint(&fields, header.block_records);
  AppendVarint(&fields, header.total_bytes);
  AppendVarint(&fields, header.largest_record);
  AppendVarint(&fields, header.largest_record_index);
  AppendFixed64(&fields, header.fingerprint);
  AppendVarint(&fields, header.blocks_size);
  AppendVarint(&fields, header.labels_size);
  AppendFixed64(&fields, header.labels_checksum);
  AppendSized(&fields, header.source);
  AppendVarint(&fields, header.part_names.size());
  for (const std::string& name : header.part_names) AppendSized(&fields, name);
  std::string out(kMagic);
  AppendFixed32(&out, kPlain + (header.versions ? kVersions : 0) + (header.checksums ? kChecksums : 0));
  AppendFixed32(&out, static_cast<uint32_t>(fields.size()));
  AppendFixed64(&out, HeaderChecksum(out, fields));
  return out + fields;
}

Bytes JoinManifest(const ManifestHeader& header, std::string_view table, std::string_view blocks,
                   std::string_view labels) {
  const std::string head = EncodeManifestHeader(header);
  auto file = std::make_shared<std::string>();
  file->reserve(head.size() + table.size() + blocks.size() + labels.size());
  file->append(head).append(table).append(blocks).append(labels);
  return Bytes(file, reinterpret_cast<const uint8_t*>(file->data()), file->size());
}

ManifestSections SplitManifest(const Bytes& file) {
  const std::string_view bytes = file.view();
  if (bytes.substr(0, kMagic.size()) != kMagic) {
    ThrowCorrupt("this is not a manifest: it does not start as one; give a file that bucketline saved");
  }
  if (bytes.size() < kPreludeSize) ThrowCorrupt("the manifest ends within its header; it was cut off");
  ByteReader prelude(bytes.substr(kMagic.size()));
  const uint32_t version = prelude.Fixed32();
  if (version < kPlain || version > kLast) {
    ThrowCorrupt(fmt::format(
        "the manifest has version {} and this program reads versions {} to {}; list the data anew", version,
        kPlain, kLast));
  }
  const uint32_t size = prelude.Fixed32();
  const uint64_t checksum = prelude.Fixed64();
  if (size > prelude.left()) ThrowCorrupt("the manifest ends within its header; it was cut off");
  const std::string_view fields = prelude.Take(size);
  if (HeaderChecksum(bytes.substr(0, kPreludeSize - sizeof(checksum)), fields) != checksum) {
    ThrowCorrupt("the manifest's header has a wrong checksum; the file is damaged, list the data anew");
  }
  ManifestSections sections{.header = DecodeFields(fields), .table = {}, .blocks = {}, .labels = {}};
  sections.header.versions = ((version - kPlain) & kVersions) != 0;
  sections.header.checksums = ((version - kPlain) & kChecksums) != 0;
  const ManifestHeader& header = sections.header;
  const uint64_t left = prelude.left();
  const bool fits = header.block_count() <= left / kEntrySize &&
                    header.blocks_size <= left - header.block_count() * kEntrySize &&
                    header.labels_size == left - header.block_count() * kEntrySize - header.blocks_size;
  if (!fits) {
    ThrowCorrupt(
        fmt::format("the manifest has {} bytes after its header, which is not what the header says; "
                    "it was cut off or added to",
                    left));
  }
  size_t at = kPreludeSize + size;
  const auto cut = [&](uint64_t length) { return file.Slice(std::exchange(at, at + length), length); };
  sections.table = cut(header.block_count() * kEntrySize);
  sections.blocks = cut(header.blocks_size);
  sections.labels = cut(header.labels_size);
  return sections;
}

BlockEntry FindBlock(const ManifestSections& sections, uint64_t block) {
  ByteReader reader(sections.table.view().substr(block * kEntrySize));
  const uint64_t begin = reader.Fixed64();
  const uint64_t checksum = reader.Fixed64();
  const uint64_t end = reader.done() ? sections.blocks.size() : reader.Fixed64();
  if (begin > end || end > sections.blocks.size()) ThrowCorrupt("its place in the file makes no sense");
  return {.block = sections.blocks.view().substr(begin, end - begin), .checksum = checksum};
}

uint64_t BlockChecksum(std::string_view block, uint64_t index, uint64_t fingerprint) {
  return StableHash64(block, fingerprint ^ Mix64(index + 1));
}

}  // namespace bucketline
