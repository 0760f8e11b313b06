// Shards: the scanner of every format over hostile bytes, and what its samples point at.
#include <cstdlib>
#include <string>
#include <string_view>

#include "fuzz/harnesses.h"

#include "bucketline/base/crc32c.h"
#include "bucketline/base/error.h"
#include "bucketline/records/shard_format.h"
#include "bucketline/records/tfds_info.h"
#include "bucketline/records/tfrecord_format.h"
#include "bucketline/records/varint.h"

namespace bucketline::fuzz {
namespace {

class Shard : public ShardBytes {
 public:
  explicit Shard(std::string_view bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }

 private:
  std::string_view Read(uint64_t offset, uint64_t length) override { return bytes_.substr(offset, length); }

  std::string_view bytes_;
};

// Aborts for a part that is not inside the shard, or whose bytes stand elsewhere.
class CheckingSink : public SampleSink {
 public:
  explicit CheckingSink(std::string_view bytes) : bytes_(bytes) {}

  void Take(ShardSample sample) override {
    // A few bytes may stand for as many equal rows as they like.
    if (++samples_ > kMostSamples) throw Error(ErrorCode::kCancelled, "enough was seen");
    for (const ShardMember& member : sample.members) {
      if (member.no_part) continue;
      const bool inside = member.offset <= bytes_.size() && member.length <= bytes_.size() - member.offset;
      if (!inside || (member.bytes && *member.bytes != bytes_.substr(member.offset, member.length)))
        std::abort();
    }
  }
  void Skip(const ShardDamage& damage) override {
    if (damage.offset() > bytes_.size()) std::abort();
  }

 private:
  static constexpr uint64_t kMostSamples = 100'000;

  std::string_view bytes_;
  uint64_t samples_ = 0;
};

void Scan(std::string_view format, std::string_view label, std::span<const uint8_t> data) {
  const std::string_view bytes(reinterpret_cast<const char*>(data.data()), data.size());
  Shard shard(bytes);
  CheckingSink sink(bytes);
  try {
    FindShardFormat(format)->scan(shard, label, sink);
  } catch (const ShardDamage&) {
  } catch (const Error&) {
  }
}

}  // namespace

void FuzzTar(std::span<const uint8_t> data) { Scan("tar", "cls", data); }
void FuzzTfRecord(std::span<const uint8_t> data) { Scan("tfrecord", "label", data); }

// The message alone: no fuzzer guesses a record's checksums.
void FuzzExample(std::span<const uint8_t> data) {
  const std::string_view message(reinterpret_cast<const char*>(data.data()), data.size());
  std::string record;
  AppendFixed64(&record, message.size());
  AppendFixed32(&record, MaskedCrc32c(Crc32cOf(record)));
  record += message;
  AppendFixed32(&record, MaskedCrc32c(Crc32cOf(message)));
  Scan("tfrecord", "label", {reinterpret_cast<const uint8_t*>(record.data()), record.size()});
}

void FuzzRecordIoShard(std::span<const uint8_t> data) { Scan("recordio", "label", data); }
void FuzzMds(std::span<const uint8_t> data) { Scan("mds", "label", data); }
void FuzzParquet(std::span<const uint8_t> data) { Scan("parquet", "label", data); }

// Byte 0 cuts the rest into the two files.
void FuzzTfdsInfo(std::span<const uint8_t> data) {
  if (data.empty()) return;
  const std::string_view rest(reinterpret_cast<const char*>(data.data()) + 1, data.size() - 1);
  const size_t cut = rest.size() * data[0] / 255;
  try {
    ReadTfdsInfo(rest.substr(0, cut), rest.substr(cut));
  } catch (const Error&) {
  }
}

}  // namespace bucketline::fuzz
