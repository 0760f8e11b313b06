#include "bucketline/serve/multipart_uploads.h"

#include <algorithm>

#include "bucketline/serve/random_text.h"
#include "bucketline/serve/s3_failure.h"
#include "bucketline/store/blocking.h"

namespace bucketline::serve {
namespace {

constexpr size_t kMaxPending = 1000;
constexpr size_t kMaxCompleted = 1000;
constexpr uint64_t kPiece = uint64_t{1} << 20;

bool SameUpload(const UploadName& a, const UploadName& b) {
  return a.upload_id == b.upload_id && a.bucket == b.bucket && a.key == b.key;
}

std::string WithoutQuotes(const std::string& etag) {
  return etag.size() >= 2 && etag.front() == '"' && etag.back() == '"' ? etag.substr(1, etag.size() - 2)
                                                                       : etag;
}

// Each attempt at a part has its own key, so that one being replaced stays whole until the new one is there.
std::string NewStagedKey(const UploadName& name, int number) {
  return name.upload_id + "." + std::to_string(number) + "." + RandomText(8);
}

}  // namespace

std::string MultipartUploads::Create(const std::string& bucket, const std::string& key,
                                     WriteCondition condition) {
  staging_();  // fails here, rather than at the first part, when there is no place for parts
  std::lock_guard lock(mutex_);
  if (pending_.size() >= kMaxPending)
    throw S3Failure("SlowDown", "Too many multipart uploads are unfinished.");
  const std::string id = RandomText(32);
  pending_[id] = Pending{{bucket, key, id}, std::move(condition), {}};
  return id;
}

MultipartUploads::Pending& MultipartUploads::FindLocked(const UploadName& name) {
  const auto found = pending_.find(name.upload_id);
  if (found == pending_.end() || !SameUpload(found->second.name, name)) throw S3Failure("NoSuchUpload");
  return found->second;
}

std::unique_ptr<ObjectWriter> MultipartUploads::OpenPart(const UploadName& name, int number) {
  {
    std::lock_guard lock(mutex_);
    FindLocked(name);
  }
  return staging_()->OpenWriter(NewStagedKey(name, number));
}

void MultipartUploads::Received(const UploadName& name, int number, const ObjectInfo& part) {
  std::string replaced;
  try {
    std::lock_guard lock(mutex_);
    Part& slot = FindLocked(name).parts[number];
    replaced = std::exchange(slot, {{number, part.size, part.etag, part.last_modified}, part.key}).staged_key;
  } catch (const S3Failure&) {
    DeleteObject(*staging_(), part.key);  // aborted or completed meanwhile
    throw;
  }
  if (!replaced.empty()) DeleteObject(*staging_(), replaced);
}

std::vector<PartInfo> MultipartUploads::Parts(const UploadName& name) {
  std::lock_guard lock(mutex_);
  std::vector<PartInfo> parts;
  for (const auto& [number, part] : FindLocked(name).parts) parts.push_back(part.info);
  return parts;
}

MultipartUploads::Pending MultipartUploads::Take(const UploadName& name) {
  std::lock_guard lock(mutex_);
  FindLocked(name);
  return std::move(pending_.extract(name.upload_id).mapped());
}

ObjectInfo MultipartUploads::Complete(const UploadName& name, const CompleteRequest& request,
                                      ObjectStore& target, bool if_absent, std::stop_token stop) {
  {
    std::lock_guard lock(mutex_);
    for (const auto& [done, object] : completed_) {
      if (SameUpload(done, name)) return object;
    }
  }
  Pending upload = Take(name);
  upload.condition.if_absent = if_absent;
  try {
    const ObjectInfo object = Assemble(Chosen(upload, request), upload, target, stop);
    {
      std::lock_guard lock(mutex_);
      completed_.emplace_back(name, object);
      if (completed_.size() > kMaxCompleted) completed_.pop_front();
    }
    Discard(upload);
    return object;
  } catch (...) {
    std::lock_guard lock(mutex_);
    pending_[name.upload_id] = std::move(upload);  // the client may try again
    throw;
  }
}

std::vector<MultipartUploads::Part> MultipartUploads::Chosen(const Pending& upload,
                                                             const CompleteRequest& request) const {
  std::vector<Part> chosen;
  for (const CompleteRequest::Part& wanted : request.parts) {
    if (!chosen.empty() && wanted.number <= chosen.back().info.number) throw S3Failure("InvalidPartOrder");
    const auto found = upload.parts.find(wanted.number);
    if (found == upload.parts.end() || WithoutQuotes(found->second.info.etag) != WithoutQuotes(wanted.etag)) {
      throw S3Failure("InvalidPart", "", {{"PartNumber", std::to_string(wanted.number)}});
    }
    if (!chosen.empty() && chosen.back().info.size < min_part_size_) throw S3Failure("EntityTooSmall");
    chosen.push_back(found->second);
  }
  return chosen;
}

ObjectInfo MultipartUploads::Assemble(const std::vector<Part>& parts, const Pending& upload,
                                      ObjectStore& target, std::stop_token stop) {
  const std::shared_ptr<ObjectStore> staging = staging_();
  const std::unique_ptr<ObjectWriter> writer = target.OpenWriter(upload.name.key, upload.condition);
  for (const Part& part : parts) {
    for (uint64_t offset = 0; offset < part.info.size; offset += kPiece) {
      GetRequest piece;
      piece.key = part.staged_key;
      piece.offset = offset;
      piece.length = std::min(kPiece, part.info.size - offset);
      piece.pin.etag = part.info.etag;
      piece.stop = stop;
      writer->Write(GetBytes(*staging, std::move(piece)).span());
    }
  }
  return writer->Commit();
}

void MultipartUploads::Abort(const UploadName& name) { Discard(Take(name)); }

void MultipartUploads::Discard(const Pending& upload) {
  const std::shared_ptr<ObjectStore> staging = staging_();
  for (const auto& [number, part] : upload.parts) DeleteObject(*staging, part.staged_key);
}

}  // namespace bucketline::serve
