// S3Writer: an ObjectWriter that sends one PUT when the object is small and a multipart upload when it is
// not.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bucketline/s3/s3_client.h"
#include "bucketline/s3/s3_upload.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// Holds at most 1 + S3Upload::kInFlight parts of options.multipart_part_size.
class S3Writer : public ObjectWriter {
 public:
  S3Writer(std::shared_ptr<S3Client> client, std::string key, WriteCondition condition)
      : client_(std::move(client)), key_(std::move(key)), condition_(std::move(condition)) {}
  ~S3Writer() override { Abort(); }

  void Write(std::span<const uint8_t> data) override;
  ObjectInfo Commit() override;
  void Abort() override;

 private:
  void CheckOpen() const;
  void AddPart();
  std::string PutWhole();

  const std::shared_ptr<S3Client> client_;
  const std::string key_;
  const WriteCondition condition_;
  std::vector<uint8_t> buffer_;
  std::unique_ptr<S3Upload> upload_;  // once the buffer has overflowed
  uint64_t size_ = 0;
  bool open_ = true;
};

}  // namespace bucketline
