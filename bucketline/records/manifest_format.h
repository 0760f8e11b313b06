// The file form of a manifest: a header, a table of blocks, the blocks, the labels. It is the form in RAM
// too, and a file can be mapped: opening reads the header alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/base/bytes.h"

namespace bucketline {

// Records in a block: what Manifest::Key decodes to find one, against the bytes that shared keys save.
inline constexpr uint32_t kBlockRecords = 64;

struct ManifestHeader {
  uint64_t records = 0;
  uint32_t block_records = kBlockRecords;
  uint64_t total_bytes = 0;
  uint64_t largest_record = 0;
  uint64_t largest_record_index = 0;
  uint64_t fingerprint = 0;
  uint64_t blocks_size = 0;  // bytes
  uint64_t labels_size = 0;  // bytes
  uint64_t labels_checksum = 0;
  std::string source;
  std::vector<std::string> part_names = {"data"};
  // What some part has. The file's own version says so: 1 plus 1 for versions plus 2 for checksums.
  bool versions = false;
  bool checksums = false;

  uint64_t block_count() const { return records / block_records + (records % block_records != 0 ? 1 : 0); }
};

// A manifest's bytes, cut where its header says; slices of one owner.
struct ManifestSections {
  ManifestHeader header;
  Bytes table;   // an entry for each block: 8 bytes offset in `blocks`, 8 bytes BlockChecksum, little-endian
  Bytes blocks;  // of block_records records each (the last may have fewer), as BlockEncoder writes them
  Bytes labels;  // as EncodeLabels writes them
};

// 8 bytes magic, 4 bytes version, 4 bytes header size, 8 bytes checksum of those and the header, the header.
std::string EncodeManifestHeader(const ManifestHeader& header);

// The whole file. Sizes in the header are those of the sections given.
Bytes JoinManifest(const ManifestHeader& header, std::string_view table, std::string_view blocks,
                   std::string_view labels);

// Throws kCorruptData: not a manifest, another version, truncated, bytes too many, bad checksum, senseless
// numbers. Looks at the header alone: O(1) in the number of records.
ManifestSections SplitManifest(const Bytes& file);

// One block as the table finds it; throws kCorruptData when the table points elsewhere.
struct BlockEntry {
  std::string_view block;
  uint64_t checksum;
};
BlockEntry FindBlock(const ManifestSections& sections, uint64_t block);

// Depends on the manifest and the place in it, so a block in another's place is found out as well.
uint64_t BlockChecksum(std::string_view block, uint64_t index, uint64_t fingerprint);

}  // namespace bucketline
