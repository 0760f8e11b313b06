#include "bucketline/channel/pipe_epoch.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "bucketline/base/error.h"
#include "bucketline/channel/ordered_reads.h"
#include "bucketline/channel/piece_encoder.h"

namespace bucketline {
namespace {

constexpr uint64_t kLargestRange = uint64_t{4} << 20;
constexpr uint64_t kRanges = 16;  // so many of the largest fit in the memory

// The ranges to read in an epoch: whole objects, and large ones in pieces.
class RangesOfEpoch {
 public:
  RangesOfEpoch(const ChannelObjects& objects, uint64_t epoch, uint64_t range)
      : objects_(objects), epoch_(epoch), range_(range) {}

  std::optional<PartPlace> Next() {
    while (left_ == 0) {
      if (piece_ == objects_.pieces()) return std::nullopt;
      const ChannelPiece piece = objects_.At(epoch_, piece_++);
      if (!piece.object) continue;
      object_ = objects_.objects().PlaceAt(*piece.object);
      left_ = object_.part.length;
    }
    PartPlace place = object_;
    place.part.offset += object_.part.length - left_;
    place.part.length = std::min(left_, range_);
    left_ -= place.part.length;
    return place;
  }

 private:
  const ChannelObjects& objects_;
  const uint64_t epoch_;
  const uint64_t range_;
  uint64_t piece_ = 0;
  PartPlace object_;
  uint64_t left_ = 0;  // of it
};

std::span<const uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class EpochWriter {
 public:
  EpochWriter(const ChannelObjects& objects, uint64_t epoch, PipeFormat format,
              const PipeResources& resources, FifoWriter& writer, const std::stop_token& stop)
      : objects_(objects),
        epoch_(epoch),
        writer_(writer),
        stop_(stop),
        // Two halves where records are inflated: the thread that holds one must not wait for what it reads.
        bytes_(format.compression == ChannelCompression::kGzip && format.wrapper == ChannelWrapper::kRecordIo
                   ? resources.memory / 2
                   : resources.memory),
        encoder_(format.compression, format.wrapper, resources.memory - bytes_.capacity(),
                 [&writer](std::span<const uint8_t> sent) { writer.Write(sent); }),
        ranges_(objects, epoch, std::clamp<uint64_t>(bytes_.capacity() / kRanges, 1, kLargestRange)),
        reads_({.budget = &bytes_, .requests = resources.requests, .buffers = resources.buffers},
               [this] { return ranges_.Next(); }) {}

  void Write() {
    for (uint64_t number = 0; number < objects_.pieces() && IsOpen(); ++number) {
      const ChannelPiece piece = objects_.At(epoch_, number);
      if (!piece.object) {
        encoder_.Text(AsBytes(piece.text));
        continue;
      }
      try {
        WriteObject(*piece.object);
      } catch (const Error& error) {
        throw error.WithUri(objects_.objects().UriAt(*piece.object));
      }
    }
    writer_.Flush();
  }

 private:
  bool IsOpen() const { return writer_.state() == FifoWriter::State::kOpen; }

  void WriteObject(uint64_t index) {
    uint64_t left = objects_.objects().RecordBytes(index);
    std::optional<std::string> state;  // the ETag that all its ranges must have
    encoder_.Begin(left);
    while (left > 0 && IsOpen()) {
      if (!reads_.Ready()) writer_.Flush();  // the reader may have what there is
      const Fetched fetched = reads_.Take(stop_);
      if (state.value_or(fetched.etag) != fetched.etag) {
        throw Error(ErrorCode::kObjectChanged,
                    "the object changed while it was read; start the channel anew");
      }
      state = fetched.etag;
      encoder_.Write(fetched.bytes.span());
      left -= fetched.bytes.size();
    }
    if (left == 0) encoder_.End();
  }

  const ChannelObjects& objects_;
  const uint64_t epoch_;
  FifoWriter& writer_;
  const std::stop_token& stop_;
  MemoryBudget bytes_;
  PieceEncoder encoder_;
  RangesOfEpoch ranges_;
  OrderedReads reads_;  // last: its threads use the rest
};

}  // namespace

void WritePipeEpoch(const ChannelObjects& objects, uint64_t epoch, PipeFormat format,
                    const PipeResources& resources, FifoWriter& writer, const std::stop_token& stop) {
  EpochWriter(objects, epoch, format, resources, writer, stop).Write();
}

}  // namespace bucketline
