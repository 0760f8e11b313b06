// RecordIO: records in a stream, framed by a magic number and their length.
//
// A part is a head of two little-endian words, magic and flag << 29 | length, then `length` bytes, then 0 to 3 more up to
// a multiple of 4. A record is one part, or a first, middle ones and a last. Such are the streams of SageMaker's
// RecordWrapperType "RecordIO" and the files of MXNet (dmlc-core, recordio.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace bucketline {

inline constexpr uint32_t kRecordIoMagic = 0xced7230a;
inline constexpr size_t kRecordIoHeadSize = 8;
// The most bytes of a part that is written here; a multiple of 4, so that only the last part of a record is padded.
inline constexpr uint64_t kRecordIoLargestPart = (uint64_t{1} << 29) - 4;

enum class RecordIoFlag : uint32_t { kWhole = 0, kFirst = 1, kMiddle = 2, kLast = 3 };

struct RecordIoHead {
  RecordIoFlag flag = RecordIoFlag::kWhole;
  uint32_t length = 0;  // bytes after the head, without the padding; below 2^29

  // 0 to 3 bytes after those; written as zeros, read as anything.
  size_t padding() const { return (4 - length % 4) % 4; }
};

std::array<uint8_t, kRecordIoHeadSize> EncodeRecordIoHead(RecordIoHead head);

// `offset` is where it stands, for messages. Throws kCorruptData: another magic number, a flag above 3.
RecordIoHead DecodeRecordIoHead(std::span<const uint8_t, kRecordIoHeadSize> bytes, uint64_t offset);

// The bytes that a record of `size` bytes takes in a stream.
uint64_t RecordIoFramedSize(uint64_t size);

// Frames one record whose bytes come bit by bit: one part, or, above kRecordIoLargestPart, several.
class RecordIoEncoder {
 public:
  using Emit = std::function<void(std::span<const uint8_t> bytes)>;

  explicit RecordIoEncoder(uint64_t size) : left_(size) {}

  // `payload` are the next bytes of the record, all of `size` together; an empty record needs one call too. Calls `emit`
  // with what is to be written, in order; those bytes live as long as that call.
  void Write(std::span<const uint8_t> payload, const Emit& emit);

 private:
  RecordIoHead NextHead() const;

  uint64_t left_;           // of the record, beyond the part that is open
  uint64_t part_left_ = 0;  // of the part that is open
  size_t padding_ = 0;      // after it
  bool open_ = false;
  bool begun_ = false;
};

// What stands between the parts of a record. dmlc-core's writer cuts records at each magic number in them and leaves that
// out; SageMaker's readers put parts together as they are.
enum class RecordIoJoin { kPlain, kWithMagic };

// Takes a stream bit by bit and gives its records. By their lengths alone: a magic number within a record is data.
class RecordIoDecoder {
 public:
  using Take = std::function<void(std::span<const uint8_t> record)>;

  // Records may have `largest` bytes.
  explicit RecordIoDecoder(RecordIoJoin join = RecordIoJoin::kPlain, uint64_t largest = uint64_t{1} << 31)
      : join_(join), largest_(largest) {}

  // Calls `take` for each record that is now whole; its bytes live as long as that call. Holds no more than what came of
  // the record that is not. Throws, naming the offset in the stream: kCorruptData for what is no head, and parts out of
  // order; kResourceExhausted for a larger record. It is of no more use then.
  void Feed(std::span<const uint8_t> bytes, const Take& take);

  // The stream is over. Throws kCorruptData when it ends within a record or its padding.
  void Finish() const;

 private:
  void BeginPart();
  void EndPart(const Take& take);
  void Append(std::span<const uint8_t> bytes);

  const RecordIoJoin join_;
  const uint64_t largest_;
  uint64_t offset_ = 0;  // in the stream, of the next byte
  std::array<uint8_t, kRecordIoHeadSize> head_bytes_ = {};
  size_t head_size_ = 0;  // so many of them have come
  RecordIoHead head_;
  uint64_t part_left_ = 0;
  size_t padding_left_ = 0;
  bool in_record_ = false;  // after a first part
  std::vector<uint8_t> record_;
};

}  // namespace bucketline
