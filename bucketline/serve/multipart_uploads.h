// MultipartUploads: objects that arrive in parts; the parts wait in a staging store until they are put
// together.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "bucketline/serve/xml_answers.h"
#include "bucketline/serve/xml_requests.h"
#include "bucketline/store/object_store.h"

namespace bucketline::serve {

// Which upload a request means; another bucket or key with the same id is another upload.
struct UploadName {
  std::string bucket;
  std::string key;
  std::string upload_id;
};

// Thread-safe. Calls may block. Throws S3Failure: NoSuchUpload, InvalidPart, InvalidPartOrder,
// EntityTooSmall, SlowDown (1,000 uploads are open); and Error from the stores.
class MultipartUploads {
 public:
  MultipartUploads(std::function<std::shared_ptr<ObjectStore>()> staging, uint64_t min_part_size)
      : staging_(std::move(staging)), min_part_size_(min_part_size) {}

  std::string Create(const std::string& bucket, const std::string& key, WriteCondition condition);

  // A part is written through the writer and counts once Received with what its Commit gave; a later one with
  // the same number replaces it.
  std::unique_ptr<ObjectWriter> OpenPart(const UploadName& name, int number);
  void Received(const UploadName& name, int number, const ObjectInfo& part);

  // Ascending by number.
  std::vector<PartInfo> Parts(const UploadName& name);

  // Writes the object and forgets the upload. Repeating a Complete that succeeded gives the same answer, as
  // in S3, for the latest 1,000. `if_absent` as in WriteCondition. A stop request ends it with kCancelled.
  ObjectInfo Complete(const UploadName& name, const CompleteRequest& request, ObjectStore& target,
                      bool if_absent, std::stop_token stop);

  void Abort(const UploadName& name);

 private:
  struct Part {
    PartInfo info;
    std::string staged_key;
  };
  struct Pending {
    UploadName name;
    WriteCondition condition;
    std::map<int, Part> parts;
  };
  Pending& FindLocked(const UploadName& name);
  Pending Take(const UploadName& name);
  std::vector<Part> Chosen(const Pending& upload, const CompleteRequest& request) const;
  ObjectInfo Assemble(const std::vector<Part>& parts, const Pending& upload, ObjectStore& target,
                      std::stop_token stop);
  void Discard(const Pending& upload);

  const std::function<std::shared_ptr<ObjectStore>()> staging_;
  const uint64_t min_part_size_;
  std::mutex mutex_;
  std::map<std::string, Pending> pending_;                   // by upload id
  std::deque<std::pair<UploadName, ObjectInfo>> completed_;  // the latest
};

}  // namespace bucketline::serve
