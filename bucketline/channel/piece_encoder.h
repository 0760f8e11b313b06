// PieceEncoder: what a channel makes of the bytes of one piece: inflated, framed, or as they are.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "bucketline/channel/channel.h"
#include "bucketline/records/gzip_inflater.h"
#include "bucketline/records/recordio.h"

namespace bucketline {

// Not thread-safe.
class PieceEncoder {
 public:
  using Emit = std::function<void(std::span<const uint8_t> bytes)>;

  // A record's head says how long it is, so what is inflated for one is held until it is whole: at most `held` bytes.
  // `emit` gets what is to be sent, in order; those bytes live as long as its call.
  PieceEncoder(ChannelCompression compression, ChannelWrapper wrapper, uint64_t held, Emit emit);

  // An object of `size` bytes: Begin, Write in as many calls as you like, End. Throws kCorruptData for what does not inflate,
  // kResourceExhausted for a record that inflates to more than `held` bytes.
  void Begin(uint64_t size);
  void Write(std::span<const uint8_t> bytes);
  void End();

  // Text that stood in a manifest: never compressed.
  void Text(std::span<const uint8_t> text);

 private:
  void Hold(std::span<const uint8_t> bytes);
  void Frame(std::span<const uint8_t> record);

  const bool inflate_;
  const bool wrap_;
  const uint64_t held_limit_;
  const Emit emit_;
  GzipInflater inflater_;
  std::vector<uint8_t> held_;
  std::optional<RecordIoEncoder> record_;
};

}  // namespace bucketline
