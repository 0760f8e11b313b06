#include "src/tf_filesystem/object_file.h"

#include <utility>

#include "bucketline/base/result.h"

namespace bucketline::tf {

ObjectFile::ObjectFile(Place place)
    : place_(std::move(place)), writer_(place_.store->OpenWriter(place_.key)) {}

ObjectFile::~ObjectFile() {
  // In a forked child nobody would tell the store, and the parent still writes.
  if (!Catch([this] { place_.engine->CheckProcess(); }).ok()) [[maybe_unused]]
    const auto* left = writer_.release();
}

void ObjectFile::Append(std::span<const uint8_t> data) {
  place_.engine->CheckProcess();
  if (!writer_) throw Error(ErrorCode::kInvalidArgument, "the file is closed; open it anew to write");
  writer_->Write(data);
  size_ += data.size();
}

void ObjectFile::Close() {
  place_.engine->CheckProcess();
  if (const auto writer = std::exchange(writer_, nullptr)) writer->Commit();
}

}  // namespace bucketline::tf
