#include "bucketline/records/part_codec.h"

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/records/key_codec.h"

namespace bucketline {
namespace {

enum Flag : uint8_t {
  kWhole = 1,
  kOwnKey = 2,
  kSameObject = 4,
  kVersion = 32,
  kChecksum = 64,
  kKnownBits = 127
};
constexpr int kEtagShift = 3;

bool Inside(uint64_t offset, uint64_t length, uint64_t size) {
  return offset <= size && length <= size - offset;
}

bool SameObject(const RecordPart& a, const RecordPart& b) {
  return a.object_key == b.object_key && a.object_size == b.object_size && a.etag == b.etag &&
         a.version == b.version;
}

}  // namespace

void CheckRange(const RecordPart& part) {
  if (Inside(part.offset, part.length, part.object_size)) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("bytes {}+{} of object \"{}\" are not inside its {} bytes", part.offset,
                          part.length, part.object_key, part.object_size));
}

void PartEncoder::Append(std::string* out, const RecordPart& part, std::string_view record_key) {
  const bool whole = part.offset == 0 && part.length == part.object_size;
  const bool own_key = part.object_key == record_key;
  const bool same_object = !own_key && may_share_ && SameObject(part, shared_);
  const EtagKind kind = same_object ? EtagKind::kNone : KindOfEtag(part.etag);
  const bool version = !same_object && !part.version.empty();
  out->push_back(static_cast<char>((whole ? kWhole : 0) | (own_key ? kOwnKey : 0) |
                                   (same_object ? kSameObject : 0) | (version ? kVersion : 0) |
                                   (part.crc32c ? kChecksum : 0) | static_cast<int>(kind) << kEtagShift));
  if (!own_key && !same_object) AppendKey(out, part.object_key, shared_.object_key);
  if (!same_object) AppendVarint(out, part.object_size);
  if (!whole) {
    AppendVarint(out, part.offset);
    AppendVarint(out, part.length);
  }
  if (part.crc32c) AppendFixed32(out, *part.crc32c);
  AppendEtag(out, kind, part.etag);
  if (version) AppendSized(out, part.version);
  may_share_ = !own_key;
  if (!own_key && !same_object) shared_ = part;
}

void PartDecoder::Next(ByteReader* reader) {
  const uint8_t flags = reader->Byte();
  const auto etag_kind = static_cast<EtagKind>(flags >> kEtagShift & 3);
  const bool same_object = (flags & kSameObject) != 0;
  const bool own_key = (flags & kOwnKey) != 0;
  const bool version = (flags & kVersion) != 0;
  if (flags > kKnownBits ||
      (same_object && (own_key || own_key_ || etag_kind != EtagKind::kNone || version))) {
    throw Error(ErrorCode::kCorruptData, fmt::format("a part has the unknown form {}", flags));
  }
  own_key_ = own_key;
  if (!own_key && !same_object) ReadKey(reader, &object_key_);
  if (!same_object) object_size_ = reader->Varint();
  offset_ = 0;
  length_ = object_size_;
  if ((flags & kWhole) == 0) {
    offset_ = reader->Varint();
    length_ = reader->Varint();
    if (!Inside(offset_, length_, object_size_)) {
      throw Error(ErrorCode::kCorruptData, "a part's range is not inside its object");
    }
  }
  crc32c_.reset();
  if ((flags & kChecksum) != 0) crc32c_ = reader->Fixed32();
  if (same_object) return;
  etag_ = ReadEtag(reader, etag_kind);
  version_ = version ? reader->Sized() : std::string_view();
}

RecordPart PartDecoder::Part(std::string_view record_key) const {
  return {.object_key = own_key_ ? std::string(record_key) : object_key_,
          .offset = offset_,
          .length = length_,
          .object_size = object_size_,
          .etag = etag_.ToString(),
          .version = std::string(version_),
          .crc32c = crc32c_};
}

}  // namespace bucketline
