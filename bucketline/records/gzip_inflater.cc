#include "bucketline/records/gzip_inflater.h"

#include <algorithm>
#include <limits>
#include <new>
#include <string>

#include <fmt/format.h>
#include <zlib.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;

[[noreturn]] void ThrowCorrupt(std::string_view problem) {
  throw Error(ErrorCode::kCorruptData, fmt::format("{}; is the object gzip, as it is said to be?", problem));
}

}  // namespace

struct GzipInflater::Stream {
  Stream() {
    if (::inflateInit2(&z, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~Stream() { ::inflateEnd(&z); }

  z_stream z = {};
};

GzipInflater::GzipInflater() : stream_(std::make_unique<Stream>()), out_(kPiece) {}
GzipInflater::~GzipInflater() = default;

void GzipInflater::Reset() {
  ::inflateReset(&stream_->z);
  in_member_ = padded_ = false;
  members_ = 0;
}

void GzipInflater::SkipPadding(std::span<const uint8_t>* bytes) {
  if (members_ == 0) return;
  while (!bytes->empty() && bytes->front() == 0) {
    padded_ = true;
    *bytes = bytes->subspan(1);
  }
  if (padded_ && !bytes->empty()) ThrowCorrupt("there are more bytes after the padding of a gzip stream");
}

void GzipInflater::Feed(std::span<const uint8_t> bytes, const Emit& emit) {
  z_stream& z = stream_->z;
  for (;;) {
    if (!in_member_) SkipPadding(&bytes);
    if (bytes.empty()) return;
    in_member_ = true;
    const size_t given = std::min<size_t>(bytes.size(), std::numeric_limits<uInt>::max());
    z.next_in = const_cast<Bytef*>(bytes.data());
    z.avail_in = static_cast<uInt>(given);
    int result = Z_OK;
    do {
      z.next_out = out_.data();
      z.avail_out = static_cast<uInt>(out_.size());
      result = ::inflate(&z, Z_NO_FLUSH);
      if (result == Z_MEM_ERROR) throw std::bad_alloc();
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
        ThrowCorrupt(
            fmt::format("it does not inflate: {}", z.msg != nullptr ? z.msg : "it wants a dictionary"));
      }
      const size_t made = out_.size() - z.avail_out;
      if (made > 0) emit(std::span(out_).first(made));
    } while (result != Z_STREAM_END && z.avail_out == 0);
    bytes = bytes.subspan(given - z.avail_in);
    if (result == Z_STREAM_END) {
      ::inflateReset(&z);
      in_member_ = false;
      ++members_;
    }
  }
}

void GzipInflater::Finish() const {
  if (in_member_) ThrowCorrupt("it ends before its gzip stream does");
}

}  // namespace bucketline
