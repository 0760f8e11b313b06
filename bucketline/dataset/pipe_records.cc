#include "bucketline/dataset/pipe_records.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace bucketline {
namespace {

constexpr size_t kBuffer = size_t{64} << 10;
constexpr uint32_t kMagic = 0xced7230a;
constexpr uint32_t kLengthBits = 29;

uint32_t LittleEndian(const uint8_t* bytes) {
  return uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
}

}  // namespace

PipeRecords::PipeRecords(PipeFile& file) : file_(file), buffer_(kBuffer) {}

std::optional<Bytes> PipeRecords::Next(const Room& room) {
  std::vector<Bytes> parts;
  size_t whole = 0;
  for (bool last = false; !last;) {
    const std::optional<Part> part = NextPart(parts.empty());
    if (!part) return std::nullopt;
    const std::shared_ptr<uint8_t[]> memory = room(part->bytes);
    Fill({memory.get(), part->bytes});
    Drop(Padding(part->bytes));
    parts.emplace_back(memory, memory.get(), part->bytes);
    whole += part->bytes;
    last = part->last;
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
    const std::optional<Part> part = NextPart(first);
    if (!part) return false;
    Drop(part->bytes + Padding(part->bytes));
    last = part->last;
  }
  ++records_;
  return true;
}

// nullopt at the end of the stream, which only the first part of a record may meet.
std::optional<PipeRecords::Part> PipeRecords::NextPart(bool first) {
  if (first && begin_ == end_ && !Refill()) return std::nullopt;
  std::array<uint8_t, 8> header;
  Fill(header);
  const uint32_t magic = LittleEndian(header.data());
  const uint32_t word = LittleEndian(header.data() + 4);
  const uint32_t flag = word >> kLengthBits;  // 0: whole; 1, 2, 3: the first, a middle, the last part
  if (magic != kMagic || (first ? flag > 1 : flag != 2 && flag != 3)) ThrowNoRecord(magic);
  return Part{.bytes = word & ((1u << kLengthBits) - 1), .last = flag == 0 || flag == 3};
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

void PipeRecords::ThrowNoRecord(uint32_t found) const {
  const std::string what =
      records_ == 0 ? "the objects come without a wrapper, so nothing says where one ends; give the channel "
                      "RecordWrapperType=RecordIO"
                    : fmt::format("after {} records there should be another one", records_);
  throw Error(
      ErrorCode::kCorruptData,
      fmt::format("no RecordIO record begins at byte {} (there is {:08x}): {}", offset_ - 8, found, what),
      file_.path());
}

}  // namespace bucketline
