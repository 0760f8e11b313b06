#include "bucketline/records/manifest.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/records/block_codec.h"
#include "bucketline/records/label_codec.h"
#include "bucketline/records/label_column.h"
#include "bucketline/records/manifest_format.h"
#include "bucketline/records/manifest_writer.h"

namespace bucketline {
namespace {

// A set of block numbers that threads add to. Losing a race costs a second check, never a missed one.
class BlockSet {
 public:
  explicit BlockSet(uint64_t blocks) : words_(blocks / 64 + 1) {}

  bool Has(uint64_t block) const {
    return (words_[block / 64].load(std::memory_order_relaxed) & Bit(block)) != 0;
  }
  void Add(uint64_t block) { words_[block / 64].fetch_or(Bit(block), std::memory_order_relaxed); }

 private:
  static uint64_t Bit(uint64_t block) { return uint64_t{1} << (block % 64); }
  std::vector<std::atomic<uint64_t>> words_;
};

// The file as it was built or opened; what manifests that differ in their labels share.
struct RecordFile {
  explicit RecordFile(Bytes file) : bytes(std::move(file)), sections(SplitManifest(bytes)) {}

  // The block of record `index`, checked the first time that it is touched.
  BlockDecoder BlockOf(uint64_t index) const;

  const ManifestHeader& header() const { return sections.header; }

  const Bytes bytes;
  const ManifestSections sections;
  mutable BlockSet checked{sections.header.block_count()};
};

[[noreturn]] void ThrowBlock(const ManifestHeader& header, uint64_t block, const std::string& problem) {
  const uint64_t first = block * header.block_records;
  const uint64_t last = std::min(first + header.block_records, header.records) - 1;
  throw Error(ErrorCode::kCorruptData,
              fmt::format("block {} (records {} to {}) of the manifest is damaged, {}; list the data anew",
                          block, first, last, problem),
              header.source);
}

// Runs `read`, which decodes the block of record `index`; names the block in what it throws.
template <typename Read>
auto InBlockOf(const RecordFile& file, uint64_t index, Read read) {
  try {
    return read(file.BlockOf(index), index % file.header().block_records);
  } catch (const Error& error) {
    ThrowBlock(file.header(), index / file.header().block_records, error.message());
  }
}

BlockDecoder RecordFile::BlockOf(uint64_t index) const {
  const uint64_t block = index / header().block_records;
  const BlockEntry entry = FindBlock(sections, block);
  if (!checked.Has(block)) {
    if (BlockChecksum(entry.block, block, header().fingerprint) != entry.checksum) {
      throw Error(ErrorCode::kCorruptData, "its checksum is wrong");
    }
    checked.Add(block);
  }
  return BlockDecoder(entry.block, header().part_names.size());
}

}  // namespace

// `own_labels`, or, without them, those in the file, decoded on first use.
struct Manifest::Storage {
  explicit Storage(std::shared_ptr<const RecordFile> records) : file(std::move(records)) {}
  Storage(std::shared_ptr<const RecordFile> records, LabelColumn labels)
      : file(std::move(records)),
        has_own_labels(true),
        decoded(std::make_unique<const LabelColumn>(std::move(labels))),
        known(decoded.get()) {}

  const LabelColumn& Labels() const;

  const std::shared_ptr<const RecordFile> file;
  const bool has_own_labels = false;
  mutable std::mutex mutex;
  mutable std::unique_ptr<const LabelColumn> decoded;  // under `mutex` until `known`
  mutable std::atomic<const LabelColumn*> known{nullptr};
};

const LabelColumn& Manifest::Storage::Labels() const {
  if (const LabelColumn* labels = known.load(std::memory_order_acquire)) return *labels;
  const std::lock_guard lock(mutex);
  if (!decoded) {
    const std::string_view bytes = file->sections.labels.view();
    try {
      if (StableHash64(bytes) != file->header().labels_checksum) {
        throw Error(ErrorCode::kCorruptData, "their checksum is wrong");
      }
      decoded = std::make_unique<const LabelColumn>(DecodeLabels(bytes, file->header().records));
    } catch (const Error& error) {
      throw Error(ErrorCode::kCorruptData,
                  fmt::format("the manifest's labels are damaged, {}; list the data anew", error.message()),
                  file->header().source);
    }
    known.store(decoded.get(), std::memory_order_release);
  }
  return *decoded;
}

namespace {

std::shared_ptr<const RecordFile> EmptyFile() {
  const std::string labels = EncodeLabels({});
  ManifestHeader header;
  header.labels_size = labels.size();
  header.labels_checksum = StableHash64(labels);
  return std::make_shared<const RecordFile>(JoinManifest(header, {}, {}, labels));
}

}  // namespace

Manifest::Manifest() : storage_(std::make_shared<const Storage>(EmptyFile())) {}

Manifest::Manifest(std::shared_ptr<const Storage> storage) : storage_(std::move(storage)) {}

uint64_t Manifest::size() const { return storage_->file->header().records; }
const std::string& Manifest::source() const { return storage_->file->header().source; }
const std::vector<std::string>& Manifest::part_names() const { return storage_->file->header().part_names; }
bool Manifest::has_versions() const { return storage_->file->header().versions; }
bool Manifest::has_checksums() const { return storage_->file->header().checksums; }
uint64_t Manifest::total_bytes() const { return storage_->file->header().total_bytes; }
uint64_t Manifest::largest_record() const { return storage_->file->header().largest_record; }
uint64_t Manifest::largest_record_index() const { return storage_->file->header().largest_record_index; }
uint64_t Manifest::fingerprint() const { return storage_->file->header().fingerprint; }
const LabelColumn& Manifest::labels() const { return storage_->Labels(); }

std::string Manifest::Key(uint64_t index) const {
  return InBlockOf(*storage_->file, index,
                   [](const BlockDecoder& block, size_t row) { return block.Key(row); });
}

Record Manifest::At(uint64_t index) const {
  return InBlockOf(*storage_->file, index,
                   [](const BlockDecoder& block, size_t row) { return block.At(row); });
}

uint64_t Manifest::RecordBytes(uint64_t index) const {
  return InBlockOf(*storage_->file, index,
                   [](const BlockDecoder& block, size_t row) { return block.RecordBytes(row); });
}

std::vector<Record> Manifest::Range(uint64_t first, uint64_t count) const {
  const uint64_t block_records = storage_->file->header().block_records;
  std::vector<Record> records;
  records.reserve(count);
  for (uint64_t next = first; next < first + count;) {
    const uint64_t row = next % block_records;
    const uint64_t wanted = std::min(block_records - row, first + count - next);
    std::vector<Record> rows = InBlockOf(
        *storage_->file, next, [&](const BlockDecoder& block, size_t) { return block.First(row + wanted); });
    std::move(rows.begin() + static_cast<ptrdiff_t>(row), rows.end(), std::back_inserter(records));
    next += wanted;
  }
  return records;
}

Manifest Manifest::WithLabels(LabelColumn labels) const {
  CheckLabels(labels, size());
  return Manifest(std::make_shared<const Storage>(storage_->file, std::move(labels)));
}

Manifest Manifest::Pick(const std::vector<uint64_t>& numbers) const {
  const RecordFile& file = *storage_->file;
  const uint64_t block_records = file.header().block_records;
  ManifestWriter writer(source(), part_names());
  std::vector<Record> rows;
  uint64_t first = 0;  // of `rows`
  for (const uint64_t number : numbers) {
    if (rows.empty() || number - first >= rows.size()) {
      first = number - number % block_records;
      const uint64_t count = std::min(block_records, size() - first);
      rows = InBlockOf(file, number, [&](const BlockDecoder& block, size_t) { return block.First(count); });
    }
    writer.Add(rows[number - first]);
  }
  return FromBytes(writer.Finish()).WithLabels(PickLabels(labels(), numbers));
}

Bytes Manifest::ToBytes() const {
  const RecordFile& file = *storage_->file;
  if (!storage_->has_own_labels) return file.bytes;
  const std::string encoded = EncodeLabels(labels());
  ManifestHeader header = file.header();
  header.labels_size = encoded.size();
  header.labels_checksum = StableHash64(encoded);
  return JoinManifest(header, file.sections.table.view(), file.sections.blocks.view(), encoded);
}

Manifest Manifest::FromBytes(Bytes bytes) {
  auto file = std::make_shared<const RecordFile>(std::move(bytes));
  return Manifest(std::make_shared<const Storage>(std::move(file)));
}

}  // namespace bucketline
