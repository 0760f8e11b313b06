// GzipStream: bytes in, the bytes of a gzip file out, in bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace bucketline {

using ByteConsumer = std::function<void(std::span<const uint8_t>)>;

// Not thread-safe. What `out` throws comes out of the call that led to it.
class GzipStream {
 public:
  // `level`: 1 (fast) to 9 (small).
  GzipStream(ByteConsumer out, int level);
  ~GzipStream();

  void Write(std::span<const uint8_t> data);
  void Finish();  // once, at the end

 private:
  struct State;
  void Deflate(std::span<const uint8_t> data, int flush);

  const ByteConsumer out_;
  std::unique_ptr<State> state_;
};

}  // namespace bucketline
