#include "bucketline/pack/shard_job.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/base/crc.h"
#include "bucketline/base/crc32c.h"
#include "bucketline/base/error.h"
#include "bucketline/dataset/read_ahead.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr uint64_t kLargestIndex = uint64_t{1} << 32;
constexpr uint64_t kPiece = uint64_t{8} << 20;  // of what is read back
constexpr uint64_t kPiecesBeside = 2;           // asked for beside the first
constexpr size_t kGathered = size_t{1} << 20;   // bytes that are written at once

// The object on its way: what is small is gathered, and the CRC32C of all is kept.
class ShardObject {
 public:
  ShardObject(ObjectStore& store, std::string key, std::stop_token stop)
      : writer_(store.OpenWriter(std::move(key), {.stop = std::move(stop)})) {}

  void Write(std::string_view bytes) {
    crc_ = Crc32c::Combine(crc_, Crc32cOf(bytes), bytes.size());
    size_ += bytes.size();
    if (gathered_.size() + bytes.size() > kGathered) Flush();
    if (bytes.size() >= kGathered) return Pass(bytes);
    gathered_ += bytes;
  }
  ObjectInfo Commit() {
    Flush();
    return writer_->Commit();
  }

  uint64_t size() const { return size_; }
  uint32_t crc() const { return crc_; }

 private:
  void Pass(std::string_view bytes) {
    writer_->Write({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  }
  void Flush() {
    Pass(gathered_);
    gathered_.clear();
  }

  const std::unique_ptr<ObjectWriter> writer_;
  std::string gathered_;
  uint64_t size_ = 0;
  uint32_t crc_ = 0;  // that of no bytes
};

// What is known of a part before it is known where it stands.
struct WrittenPart {
  uint64_t length = 0;
  uint32_t crc32c = 0;
};

class ShardJob {
 public:
  ShardJob(const ShardJobContext& context, size_t number)
      : context_(context),
        key_(context.ShardKey(number)),
        index_key_(context.IndexKey(number)),
        first_(context.plan.first[number]),
        last_(context.plan.first[number + 1]),
        encoder_(context.plan.encoding->make(context.samples.schema())) {}

  DoneShard Run() {
    try {
      WriteRecords();
      DoneShard done;
      if (object_) done.bytes = Finish();
      done.index = MakeIndex();
      PutBytes(*context_.out, index_key_, done.index.ToBytes().span(), {.stop = context_.stop});
      return done;
    } catch (const Error& error) {
      throw error.WithUri(context_.out->UriOf(key_));
    }
  }

 private:
  void WriteRecords() {
    RecordStream stream(context_.samples, first_, last_, context_.resources, context_.stop);
    while (const std::optional<PackedRecord> record = stream.Next()) {
      if (record->bad) {
        context_.bad(*record->bad);
      } else {
        Add(*record);
      }
      context_.read(1, context_.samples.BytesAt(record->position));
    }
  }

  void Add(const PackedRecord& record) {
    SampleToPack sample = context_.samples.At(record.position);
    const Record known = context_.samples.dataset().RecordAt(context_.samples.IndexAt(record.position));
    for (size_t i = 0; i < sample.parts.size(); ++i) {
      PartToPack& part = sample.parts[i];
      part.bytes = record.parts[i].bytes.view();
      part.length = part.bytes.size();
      part.crc32c = Crc32cOf(part.bytes);
      part.extension = context_.samples.ExtensionOf(known.parts[i], part.bytes);
      written_.push_back({part.length, part.crc32c});
    }
    CheckRoom(sample);
    positions_.push_back(record.position);
    if (!object_) object_.emplace(*context_.out, key_, context_.stop);  // no shard without a record
    encoder_->Add(sample, [this](std::string_view bytes) { object_->Write(bytes); });
  }

  // Images that are encoded anew may grow. A shard may then be larger than planned, unless that is all it may be.
  void CheckRoom(const SampleToPack& sample) {
    const ShardEncoding& encoding = *context_.plan.encoding;
    if (!encoding.holds_shard) return;
    held_ += encoding.sample_size(context_.samples.schema(), sample);
    const uint64_t size = encoding.shard_overhead(context_.samples.schema()) + held_;
    if (size <= context_.samples.schema().shard_size) return;
    throw Error(ErrorCode::kResourceExhausted,
                "its images became larger than they were, and a shard may not; ask for a lower quality");
  }

  uint64_t Finish() {
    offsets_ = encoder_->Finish([this](std::string_view bytes) { object_->Write(bytes); });
    encoder_.reset();
    shard_ = object_->Commit();
    if (shard_.size != object_->size()) {
      throw Error(ErrorCode::kCorruptData,
                  fmt::format("{} bytes were written, and the store has {}; pack again", object_->size(),
                              shard_.size));
    }
    if (context_.verify) ReadBack();
    return shard_.size;
  }

  void ReadBack() {
    GetRequest request{
        .key = key_, .pin = {.etag = shard_.etag, .size = shard_.size, .version = {}}, .stop = context_.stop};
    MemoryBudget beside(kPiecesBeside);
    ReadAhead reader(*context_.out, std::move(request), shard_.size, kPiece, &beside,
                     std::make_shared<BufferPool>((kPiecesBeside + 1) * kPiece));
    uint32_t crc = 0;
    while (const std::optional<Bytes> bytes = reader.Next()) {
      crc = Crc32c::Combine(crc, Crc32cOf(bytes->view()), bytes->size());
    }
    if (crc == object_->crc()) return;
    throw Error(
        ErrorCode::kCorruptData,
        fmt::format("it was written with the CRC32C {:08x}, and the store gives back {:08x}; pack again",
                    object_->crc(), crc));
  }

  Manifest MakeIndex() const {
    const Dataset& dataset = context_.samples.dataset();
    const size_t parts = dataset.part_names().size();
    ManifestBuilder builder(context_.source, dataset.part_names());
    std::vector<std::pair<std::string, uint64_t>> by_key;
    for (size_t i = 0; i < positions_.size(); ++i) {
      const uint64_t index = context_.samples.IndexAt(positions_[i]);
      Record record{.key = dataset.Key(index), .parts = {}};
      for (size_t part = i * parts; part < (i + 1) * parts; ++part) {
        record.parts.push_back({.object_key = key_,
                                .offset = offsets_[part],
                                .length = written_[part].length,
                                .object_size = shard_.size,
                                .etag = shard_.etag,
                                .crc32c = written_[part].crc32c});
      }
      by_key.emplace_back(record.key, index);
      builder.Add(std::move(record));
    }
    std::sort(by_key.begin(), by_key.end());
    std::vector<uint64_t> indices;
    indices.reserve(by_key.size());
    for (const auto& [key, index] : by_key) indices.push_back(index);
    return std::move(builder).Build().WithLabels(LabelsOf(dataset, indices));
  }

  const ShardJobContext& context_;
  const std::string key_;
  const std::string index_key_;
  const uint64_t first_;
  const uint64_t last_;
  std::unique_ptr<ShardEncoder> encoder_;
  std::optional<ShardObject> object_;
  std::vector<uint64_t> positions_;   // of the records in the shard
  std::vector<WrittenPart> written_;  // their parts
  std::vector<uint64_t> offsets_;     // of those
  uint64_t held_ = 0;
  ObjectInfo shard_;
};

}  // namespace

std::optional<DoneShard> FindShard(const ShardJobContext& context, size_t number, const ObjectInfo* shard,
                                   const ObjectInfo* index) {
  if (index == nullptr) return std::nullopt;
  GetRequest request{.key = index->key, .pin = {.etag = index->etag, .size = index->size, .version = {}}};
  request.stop = context.stop;
  DoneShard done{.index = Manifest(), .bytes = shard == nullptr ? 0 : shard->size};
  try {
    done.index = Manifest::FromBytes(GetBytes(*context.out, std::move(request), kLargestIndex));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorruptData) throw;
    return std::nullopt;
  }
  if (done.index.size() == 0) return done;
  if (shard == nullptr) return std::nullopt;
  const RecordPart part = done.index.At(0).parts.front();
  const bool same = part.object_key == context.ShardKey(number) && part.etag == shard->etag &&
                    part.object_size == shard->size;
  return same ? std::optional(std::move(done)) : std::nullopt;
}

DoneShard MakeShard(const ShardJobContext& context, size_t number) { return ShardJob(context, number).Run(); }

}  // namespace bucketline
