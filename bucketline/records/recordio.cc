#include "bucketline/records/recordio.h"

#include <algorithm>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr std::array<uint8_t, 4> kMagicBytes = {0x0a, 0x23, 0xd7, 0xce};
constexpr std::array<uint8_t, 3> kPadding = {};
constexpr int kLengthBits = 29;
constexpr uint32_t kLengthMask = (uint32_t{1} << kLengthBits) - 1;

void Store32(uint32_t value, uint8_t* to) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<uint8_t>(value >> (8 * i));
}

uint32_t Load32(const uint8_t* from) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value |= uint32_t{from[i]} << (8 * i);
  return value;
}

[[noreturn]] void ThrowCorrupt(uint64_t offset, std::string_view problem) {
  throw Error(ErrorCode::kCorruptData, fmt::format("RecordIO, at byte {}: {}", offset, problem));
}

}  // namespace

std::array<uint8_t, kRecordIoHeadSize> EncodeRecordIoHead(RecordIoHead head) {
  std::array<uint8_t, kRecordIoHeadSize> bytes;
  Store32(kRecordIoMagic, bytes.data());
  Store32(static_cast<uint32_t>(head.flag) << kLengthBits | head.length, bytes.data() + 4);
  return bytes;
}

RecordIoHead DecodeRecordIoHead(std::span<const uint8_t, kRecordIoHeadSize> bytes, uint64_t offset) {
  const uint32_t magic = Load32(bytes.data());
  if (magic != kRecordIoMagic) {
    ThrowCorrupt(offset, fmt::format("a record should begin with {:#010x}, and here is {:#010x}",
                                     kRecordIoMagic, magic));
  }
  const uint32_t word = Load32(bytes.data() + 4);
  const uint32_t flag = word >> kLengthBits;
  if (flag > static_cast<uint32_t>(RecordIoFlag::kLast))
    ThrowCorrupt(offset, fmt::format("there is no flag {}", flag));
  return {.flag = static_cast<RecordIoFlag>(flag), .length = word & kLengthMask};
}

uint64_t RecordIoFramedSize(uint64_t size) {
  const uint64_t parts = std::max<uint64_t>((size + kRecordIoLargestPart - 1) / kRecordIoLargestPart, 1);
  return parts * kRecordIoHeadSize + (size + 3) / 4 * 4;
}

RecordIoHead RecordIoEncoder::NextHead() const {
  const bool last = left_ <= kRecordIoLargestPart;
  RecordIoHead head;
  head.length = static_cast<uint32_t>(std::min(left_, kRecordIoLargestPart));
  if (begun_) {
    head.flag = last ? RecordIoFlag::kLast : RecordIoFlag::kMiddle;
  } else {
    head.flag = last ? RecordIoFlag::kWhole : RecordIoFlag::kFirst;
  }
  return head;
}

void RecordIoEncoder::Write(std::span<const uint8_t> payload, const Emit& emit) {
  while (!payload.empty() || !begun_) {
    if (!open_) {
      const RecordIoHead head = NextHead();
      emit(EncodeRecordIoHead(head));
      begun_ = open_ = true;
      left_ -= head.length;
      part_left_ = head.length;
      padding_ = head.padding();
    }
    const size_t size = std::min<uint64_t>(payload.size(), part_left_);
    if (size > 0) emit(payload.first(size));
    payload = payload.subspan(size);
    part_left_ -= size;
    if (part_left_ > 0) return;
    if (padding_ > 0) emit(std::span(kPadding).first(padding_));
    open_ = false;
  }
}

void RecordIoDecoder::Feed(std::span<const uint8_t> bytes, const Take& take) {
  while (!bytes.empty()) {
    const auto next = [&](uint64_t most) {
      const std::span<const uint8_t> taken = bytes.first(std::min<uint64_t>(most, bytes.size()));
      bytes = bytes.subspan(taken.size());
      offset_ += taken.size();
      return taken;
    };
    if (padding_left_ > 0) {
      padding_left_ -= next(padding_left_).size();
    } else if (head_size_ < kRecordIoHeadSize) {
      const std::span<const uint8_t> came = next(kRecordIoHeadSize - head_size_);
      std::copy(came.begin(), came.end(), head_bytes_.begin() + head_size_);
      head_size_ += came.size();
      if (head_size_ < kRecordIoHeadSize) continue;
      BeginPart();
      if (part_left_ == 0) EndPart(take);
    } else {
      const std::span<const uint8_t> came = next(part_left_);
      part_left_ -= came.size();
      if (head_.flag == RecordIoFlag::kWhole && came.size() == head_.length) {
        EndPart([&](std::span<const uint8_t>) { take(came); });  // no copy of what came at once
      } else {
        Append(came);
        if (part_left_ == 0) EndPart(take);
      }
    }
  }
}

void RecordIoDecoder::BeginPart() {
  const uint64_t offset = offset_ - kRecordIoHeadSize;
  head_ = DecodeRecordIoHead(head_bytes_, offset);
  const bool continues = head_.flag == RecordIoFlag::kMiddle || head_.flag == RecordIoFlag::kLast;
  if (continues != in_record_) {
    ThrowCorrupt(offset, in_record_ ? "a record begins before the last one has ended"
                                    : "a part of a record that has not begun");
  }
  if (continues && join_ == RecordIoJoin::kWithMagic) Append(kMagicBytes);
  if (head_.length > largest_ || record_.size() > largest_ - head_.length) {
    throw Error(
        ErrorCode::kResourceExhausted,
        fmt::format("RecordIO, at byte {}: a record of {} bytes or more, where at most {} are allowed",
                    offset, record_.size() + head_.length, largest_));
  }
  in_record_ = true;
  part_left_ = head_.length;
}

void RecordIoDecoder::EndPart(const Take& take) {
  padding_left_ = head_.padding();
  head_size_ = 0;
  if (head_.flag == RecordIoFlag::kFirst || head_.flag == RecordIoFlag::kMiddle) return;
  in_record_ = false;
  take(record_);
  record_.clear();
}

void RecordIoDecoder::Append(std::span<const uint8_t> bytes) {
  record_.insert(record_.end(), bytes.begin(), bytes.end());
}

void RecordIoDecoder::Finish() const {
  if (head_size_ == 0 && padding_left_ == 0 && !in_record_) return;
  ThrowCorrupt(offset_, "the stream ends within a record");
}

}  // namespace bucketline
