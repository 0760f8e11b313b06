#include "bucketline/job/gzip_stream.h"

#include <algorithm>
#include <array>
#include <limits>

#include <zlib.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for gzip's header and trailer
constexpr int kMemoryLevel = 8;       // zlib's default

}  // namespace

struct GzipStream::State {
  z_stream stream = {};
  std::array<uint8_t, size_t{64} << 10> buffer;
};

GzipStream::GzipStream(ByteConsumer out, int level)
    : out_(std::move(out)), state_(std::make_unique<State>()) {
  if (deflateInit2(&state_->stream, level, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw Error(ErrorCode::kResourceExhausted, "no memory to compress with");
  }
}

GzipStream::~GzipStream() { deflateEnd(&state_->stream); }

void GzipStream::Write(std::span<const uint8_t> data) {
  constexpr size_t kMost = std::numeric_limits<uInt>::max();
  while (!data.empty()) {
    const size_t size = std::min(data.size(), kMost);
    Deflate(data.first(size), Z_NO_FLUSH);
    data = data.subspan(size);
  }
}

void GzipStream::Finish() { Deflate({}, Z_FINISH); }

void GzipStream::Deflate(std::span<const uint8_t> data, int flush) {
  z_stream& stream = state_->stream;
  stream.next_in = const_cast<uint8_t*>(data.data());
  stream.avail_in = static_cast<uInt>(data.size());
  do {
    stream.next_out = state_->buffer.data();
    stream.avail_out = static_cast<uInt>(state_->buffer.size());
    deflate(&stream, flush);
    const size_t made = state_->buffer.size() - stream.avail_out;
    if (made > 0) out_({state_->buffer.data(), made});
  } while (stream.avail_out == 0);
}

}  // namespace bucketline
