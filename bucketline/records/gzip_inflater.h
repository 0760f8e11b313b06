// GzipInflater: what gzip made of a stream of bytes, while it comes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace bucketline {

// Members one after another are one stream (RFC 1952); zeros after the last one are padding. Not thread-safe.
class GzipInflater {
 public:
  using Emit = std::function<void(std::span<const uint8_t> bytes)>;

  GzipInflater();
  ~GzipInflater();
  GzipInflater(const GzipInflater&) = delete;
  GzipInflater& operator=(const GzipInflater&) = delete;

  // A new stream begins.
  void Reset();

  // Calls `emit` with what the next bytes give, at most kPiece at a time; those live as long as that call. Throws
  // kCorruptData for what is no gzip, and a wrong checksum or length.
  static constexpr size_t kPiece = size_t{256} << 10;
  void Feed(std::span<const uint8_t> bytes, const Emit& emit);

  // The stream is over. Throws kCorruptData when it ends within a member. No bytes at all are none inflated.
  void Finish() const;

 private:
  struct Stream;
  void SkipPadding(std::span<const uint8_t>* bytes);

  std::unique_ptr<Stream> stream_;
  std::vector<uint8_t> out_;
  bool in_member_ = false;
  bool padded_ = false;  // zeros came after a member: no other may follow
  uint64_t members_ = 0;
};

}  // namespace bucketline
