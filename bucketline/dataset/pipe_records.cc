#include "bucketline/dataset/pipe_records.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/result.h"

namespace bucketline {
namespace {

constexpr size_t kBuffer = size_t{64} << 10;

bool IsLast(const RecordIoHead& part) {
  return part.flag == RecordIoFlag::kWhole || part.flag == RecordIoFlag::kLast;
}

}  // namespace

PipeRecords::PipeRecords(PipeFile& file) : file_(file), buffer_(kBuffer) {}

std::optional<Bytes> PipeRecords::Next(const Room& room) {
  std::vector<Bytes> parts;
  size_t whole = 0;
  for (bool last = false; !last;) {
    const std::optional<RecordIoHead> part = NextPart(parts.empty());
    if (!part) return std::nullopt;
    const std::shared_ptr<uint8_t[]> memory = room(part->length);
    Fill({memory.get(), part->length});
    Drop(part->padding());
    parts.emplace_back(memory, memory.get(), part->length);
    whole += part->length;
    last = IsLast(*part);
  }
  ++records_;
  if (parts.size() == 1) return std::move(parts.front());
  const std::shared_ptr<uint8_t[]> memory = room(whole);
  uint8_t* to = memory.get();
  for (const Bytes& part : parts) to = std::copy_n(part.data(), part.size(), to);
  return Bytes(memory, memory.get(), whole);
}

bool PipeRecords::Skip() {
  for (bool first = true, last = false; !last; first = false) {
    const std::optional<RecordIoHead> part = NextPart(first);
    if (!part) return false;
    Drop(part->length + part->padding());
    last = IsLast(*part);
  }
  ++records_;
  return true;
}

// nullopt at the end of the stream, which only the first part of a record may meet.
std::optional<RecordIoHead> PipeRecords::NextPart(bool first) {
  if (first && begin_ == end_ && !Refill()) return std::nullopt;
  std::array<uint8_t, kRecordIoHeadSize> bytes;
  Fill(bytes);
  const uint64_t offset = offset_ - bytes.size();
  const Result<RecordIoHead> head = Catch([&] { return DecodeRecordIoHead(bytes, offset); });
  if (!head) ThrowNoRecord(head.error().message());
  const bool begins = head->flag == RecordIoFlag::kWhole || head->flag == RecordIoFlag::kFirst;
  if (begins != first)
    ThrowNoRecord(fmt::format("at byte {} the parts of a record are out of order", offset));
  return *head;
}

void PipeRecords::Fill(std::span<uint8_t> target) {
  while (!target.empty()) {
    if (begin_ == end_ && target.size() >= buffer_.size()) {
      const size_t got = file_.Read(target);
      if (got == 0) ThrowCut();
      offset_ += got;
      target = target.subspan(got);
      continue;
    }
    if (begin_ == end_ && !Refill()) ThrowCut();
    const size_t count = std::min(target.size(), end_ - begin_);
    std::memcpy(target.data(), buffer_.data() + begin_, count);
    begin_ += count;
    offset_ += count;
    target = target.subspan(count);
  }
}

void PipeRecords::Drop(size_t bytes) {
  while (bytes > 0) {
    if (begin_ == end_ && !Refill()) ThrowCut();
    const size_t count = std::min(bytes, end_ - begin_);
    begin_ += count;
    offset_ += count;
    bytes -= count;
  }
}

bool PipeRecords::Refill() {
  begin_ = 0;
  end_ = file_.Read(buffer_);
  return end_ > 0;
}

void PipeRecords::ThrowCut() const {
  throw Error(
      ErrorCode::kCorruptData,
      fmt::format("the stream ends in the middle of record {}, at byte {}: its writer has failed; the job's "
                  "log says why",
                  records_, offset_),
      file_.path());
}

void PipeRecords::ThrowNoRecord(const std::string& what) const {
  throw Error(ErrorCode::kCorruptData,
              records_ > 0
                  ? fmt::format("after {} records: {}", records_, what)
                  : what +
                        "; if the objects come without a wrapper, nothing says where one ends: give the "
                        "channel RecordWrapperType=RecordIO",
              file_.path());
}

}  // namespace bucketline
