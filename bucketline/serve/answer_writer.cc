#include "bucketline/serve/answer_writer.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace bucketline::serve {
namespace {

namespace net = boost::asio;
using boost::system::error_code;

constexpr uint64_t kPiece = uint64_t{1} << 20;

bool CutsTheBody(ServeFault fault) {
  return fault == ServeFault::kResetBody || fault == ServeFault::kTruncate || fault == ServeFault::kStall;
}

}  // namespace

class AnswerWriter::PieceSink : public GetSink {
 public:
  explicit PieceSink(size_t size) : size_(size), memory_(std::make_unique_for_overwrite<uint8_t[]>(size)) {}
  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo&) override {
    if (size != size_)
      return Error(ErrorCode::kInternal, "the store gives another number of bytes than asked for");
    return piece();
  }
  std::span<uint8_t> piece() { return {memory_.get(), size_}; }

 private:
  const size_t size_;
  const std::unique_ptr<uint8_t[]> memory_;
};

void AnswerWriter::Send(RenderedAnswer answer, std::optional<ObjectBody> object, ServeFault fault,
                        std::shared_ptr<void> owner, Done done) {
  answer_ = std::move(answer);
  object_ = std::move(object);
  fault_ = fault;
  owner_ = std::move(owner);
  done_ = std::move(done);
  sent_ = 0;
  head_sent_ = false;
  limit_ = answer_.length;
  if (CutsTheBody(fault_)) {
    limit_ = answer_.length / 2;
    if (limit_ == 0) return OnWritten(true);  // nothing to cut: not even the head is sent
  }
  if (object_ && limit_ > 0) return Fetch();
  WritePiece(answer_.body.data(), static_cast<size_t>(limit_), nullptr);
}

void AnswerWriter::Fetch() {
  GetRequest request;
  request.key = object_->key;
  request.offset = object_->offset + sent_;
  request.length = std::min(kPiece, limit_ - sent_);
  request.pin.etag = object_->etag;
  request.stop = stop_;
  auto sink = std::make_shared<PieceSink>(static_cast<size_t>(*request.length));
  object_->store->Get(std::move(request), sink, [this, owner = owner_, sink](Result<ObjectInfo> result) {
    net::post(stream_.get_executor(),
              [this, owner, sink, result = std::move(result)] { OnPiece(result, sink); });
  });
}

void AnswerWriter::OnPiece(const Result<ObjectInfo>& result, std::shared_ptr<PieceSink> sink) {
  if (!result.ok()) return Finish(head_sent_ ? End::kReset : End::kUnsent);
  const std::span<uint8_t> piece = sink->piece();
  WritePiece(piece.data(), piece.size(), std::move(sink));
}

// With the head in front of the first one, so that a small answer is one segment.
void AnswerWriter::WritePiece(const void* data, size_t size, std::shared_ptr<void> keep) {
  const std::array<net::const_buffer, 2> buffers = {
      net::buffer(answer_.head.data(), head_sent_ ? 0 : answer_.head.size()), net::buffer(data, size)};
  head_sent_ = true;
  stream_.expires_after(timeout_);
  net::async_write(stream_, buffers,
                   [this, owner = owner_, keep = std::move(keep), size](const error_code& error, size_t) {
                     if (!error) {
                       sent_ += size;
                       bytes_out_.Add(size);
                     }
                     OnWritten(!error);
                   });
}

void AnswerWriter::OnWritten(bool ok) {
  if (!ok) return Finish(End::kClose);
  if (sent_ < limit_) return Fetch();
  switch (fault_) {
    case ServeFault::kResetBody:
      return Finish(End::kReset);
    case ServeFault::kTruncate:
      return Finish(End::kClose);
    case ServeFault::kStall:
      return Stall();
    default:
      return Finish(End::kSent);
  }
}

// Until the client leaves or the endpoint stops.
void AnswerWriter::Stall() {
  stream_.expires_never();
  stream_.async_read_some(net::buffer(scratch_), [this, owner = owner_](const error_code& error, size_t) {
    if (error) return Finish(End::kClose);
    Stall();
  });
}

void AnswerWriter::Finish(End end) {
  object_.reset();
  const std::shared_ptr<void> owner = std::exchange(owner_, nullptr);
  const Done done = std::exchange(done_, nullptr);
  done(end);
}

}  // namespace bucketline::serve
