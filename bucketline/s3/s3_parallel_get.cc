#include "bucketline/s3/s3_parallel_get.h"

#include <algorithm>
#include <utility>

#include "bucketline/s3/s3_get.h"
#include "bucketline/store/read_rules.h"

namespace bucketline {

class ParallelGet::PieceSink : public GetSink {
 public:
  PieceSink(std::shared_ptr<ParallelGet> get, uint64_t offset) : get_(std::move(get)), offset_(offset) {}
  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo& object) override {
    return get_->MemoryOf(offset_, size, object);
  }

 private:
  const std::shared_ptr<ParallelGet> get_;
  const uint64_t offset_;
};

void ParallelGet::Start(std::shared_ptr<S3Client> client, GetRequest request, uint64_t length,
                        std::shared_ptr<GetSink> sink, Done done) {
  const uint64_t offset = request.offset;
  const auto get = std::make_shared<ParallelGet>(std::move(client), std::move(request), length,
                                                 std::move(sink), std::move(done));
  get->running_ = 1;
  get->next_ = get->EndOf(offset);
  get->StartPiece(offset);
}

ParallelGet::ParallelGet(std::shared_ptr<S3Client> client, GetRequest request, uint64_t length,
                         std::shared_ptr<GetSink> sink, Done done)
    : client_(std::move(client)),
      request_(std::move(request)),
      end_(request_.offset + length),
      uri_(client_->UriOf(request_.key)),
      sink_(std::move(sink)),
      done_(std::move(done)),
      stop_(request_.stop, failed_.get_token()),
      next_(request_.offset) {}

uint64_t ParallelGet::EndOf(uint64_t offset) const {
  return offset + std::min(end_ - offset, kPiece - offset % kPiece);
}

void ParallelGet::StartPiece(uint64_t offset) {
  GetRequest piece = request_;
  piece.offset = offset;
  piece.length = EndOf(offset) - offset;
  piece.stop = stop_.token();
  StartGet(client_, std::move(piece), std::make_shared<PieceSink>(shared_from_this(), offset),
           [self = shared_from_this()](const Result<ObjectInfo>& result) { self->Ended(result); });
}

void ParallelGet::Launch() {
  for (;;) {
    uint64_t offset;
    {
      std::lock_guard lock(mutex_);
      if (!object_ || failure_ || next_ >= end_ || running_ >= kAtOnce) return;
      offset = std::exchange(next_, EndOf(next_));
      ++running_;
    }
    StartPiece(offset);
  }
}

Result<std::span<uint8_t>> ParallelGet::MemoryOf(uint64_t offset, uint64_t size, const ObjectInfo& object) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    if (!object_) {
      const uint64_t length = LengthToRead(request_, object);
      memory_ = BeginRead(*sink_, length, object);
      object_ = object;
      first = true;
    } else if (object.etag != object_->etag || object.size != object_->size) {
      return Error(ErrorCode::kObjectChanged, "the object changed while its ranges were read; list again",
                   uri_);
    }
  }
  if (first) Launch();
  return memory_.subspan(offset - request_.offset, size);
}

void ParallelGet::Ended(const Result<ObjectInfo>& result) {
  bool failed = false;
  bool last;
  {
    std::lock_guard lock(mutex_);
    if (!result && !failure_) {
      failure_ = result.error();
      failed = true;
    }
    --running_;
    last = running_ == 0 && (failure_ || next_ >= end_);
  }
  if (failed) failed_.request_stop();
  if (!last) return Launch();
  sink_.reset();
  if (failure_) return std::exchange(done_, nullptr)(*failure_);
  std::exchange(done_, nullptr)(*object_);
}

}  // namespace bucketline
