// ParallelGet: one large read as several ranges at a time, all of the same state of the object.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>

#include "bucketline/s3/s3_client.h"
#include "bucketline/store/linked_stop.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// The first range tells which state of the object is read: the others must have its ETag and size, by If-Match where the
// caller pins an ETag, and by what they answer in any case. Ends when every range has ended, so that nobody writes into a
// sink that is done.
class ParallelGet : public std::enable_shared_from_this<ParallelGet> {
 public:
  static constexpr uint64_t kPiece = uint64_t{8}
                                     << 20;  // bytes; ranges begin at multiples of it, as stored parts do
  static constexpr uint64_t kSmallest = 2 * kPiece;  // what is shorter is one request
  static constexpr size_t kAtOnce = 16;              // ranges, where the concurrency limit has room

  using Done = std::function<void(Result<ObjectInfo>)>;

  // `length` is what the request will bring: at least kSmallest.
  static void Start(std::shared_ptr<S3Client> client, GetRequest request, uint64_t length,
                    std::shared_ptr<GetSink> sink, Done done);

  ParallelGet(std::shared_ptr<S3Client> client, GetRequest request, uint64_t length,
              std::shared_ptr<GetSink> sink, Done done);

 private:
  class PieceSink;

  void Launch();  // as many as may run
  void StartPiece(uint64_t offset);
  uint64_t EndOf(uint64_t offset) const;
  // The memory of a piece, once its head has come; the first one asks the caller's sink.
  Result<std::span<uint8_t>> MemoryOf(uint64_t offset, uint64_t size, const ObjectInfo& object);
  void Ended(const Result<ObjectInfo>& result);

  const std::shared_ptr<S3Client> client_;
  const GetRequest request_;
  const uint64_t end_;  // of the range, in the object
  const std::string uri_;
  std::shared_ptr<GetSink> sink_;
  Done done_;
  std::stop_source failed_;
  LinkedStop stop_;

  std::mutex mutex_;  // guards what follows
  std::optional<ObjectInfo> object_;
  std::span<uint8_t> memory_;
  uint64_t next_;  // offset of the next piece to ask for
  size_t running_ = 0;
  std::optional<Error> failure_;
};

}  // namespace bucketline
