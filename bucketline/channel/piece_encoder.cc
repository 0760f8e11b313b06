#include "bucketline/channel/piece_encoder.h"

#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"

namespace bucketline {

PieceEncoder::PieceEncoder(ChannelCompression compression, ChannelWrapper wrapper, uint64_t held, Emit emit)
    : inflate_(compression == ChannelCompression::kGzip),
      wrap_(wrapper == ChannelWrapper::kRecordIo),
      held_limit_(held),
      emit_(std::move(emit)) {}

void PieceEncoder::Begin(uint64_t size) {
  if (inflate_) {
    inflater_.Reset();
    held_.clear();
  } else if (wrap_) {
    record_.emplace(size);
    if (size == 0) record_->Write({}, emit_);
  }
}

void PieceEncoder::Write(std::span<const uint8_t> bytes) {
  if (inflate_ && wrap_) {
    inflater_.Feed(bytes, [this](std::span<const uint8_t> inflated) { Hold(inflated); });
  } else if (inflate_) {
    inflater_.Feed(bytes, emit_);
  } else if (wrap_) {
    record_->Write(bytes, emit_);
  } else {
    emit_(bytes);
  }
}

void PieceEncoder::End() {
  if (!inflate_) return;
  inflater_.Finish();
  if (wrap_) Frame(held_);
}

void PieceEncoder::Text(std::span<const uint8_t> text) {
  if (wrap_) {
    Frame(text);
  } else {
    emit_(text);
  }
}

void PieceEncoder::Hold(std::span<const uint8_t> bytes) {
  if (bytes.size() > held_limit_ - held_.size()) {
    throw Error(
        ErrorCode::kResourceExhausted,
        fmt::format(
            "it inflates to more than the {} that the channel's memory leaves for one record; give the "
            "channel more memory",
            FormatByteSize(held_limit_)));
  }
  held_.insert(held_.end(), bytes.begin(), bytes.end());
}

void PieceEncoder::Frame(std::span<const uint8_t> record) {
  RecordIoEncoder(record.size()).Write(record, emit_);
}

}  // namespace bucketline
