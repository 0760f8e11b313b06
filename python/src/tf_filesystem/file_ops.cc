#include "src/tf_filesystem/file_ops.h"

#include "src/tf_filesystem/object_file.h"
#include "src/tf_filesystem/object_reader.h"
#include "src/tf_filesystem/status.h"

namespace bucketline::tf {
namespace {

ObjectFile& FileOf(const WritableFile* file) { return *static_cast<ObjectFile*>(file->self); }

int64_t Read(const RandomAccessFile* file, uint64_t offset, size_t n, char* buffer, Status* status) {
  const std::span target(reinterpret_cast<uint8_t*>(buffer), n);
  const int64_t read = Tell(status, int64_t{-1}, [&] {
    return static_cast<int64_t>(static_cast<ObjectReader*>(file->self)->Read(offset, target));
  });
  if (read >= 0 && static_cast<uint64_t>(read) < n) {
    SetStatus(status, StatusCode::kOutOfRange, "the object ends here");
  }
  return read;
}

void Append(const WritableFile* file, const char* buffer, size_t n, Status* status) {
  Tell(status, [&] { FileOf(file).Append({reinterpret_cast<const uint8_t*>(buffer), n}); });
}

int64_t Position(const WritableFile* file, Status* status) {
  SetStatus(status, StatusCode::kOk, "");
  return static_cast<int64_t>(FileOf(file).size());
}

// Nothing of an object can be seen before all of it.
void Flush(const WritableFile*, Status* status) { SetStatus(status, StatusCode::kOk, ""); }

void Close(const WritableFile* file, Status* status) {
  Tell(status, [&] { FileOf(file).Close(); });
}

}  // namespace

const RandomAccessFileOps kRandomAccessFileOps = {
    .cleanup = [](RandomAccessFile* file) { delete static_cast<ObjectReader*>(file->self); },
    .read = Read,
};

const WritableFileOps kWritableFileOps = {
    .cleanup = [](WritableFile* file) { delete static_cast<ObjectFile*>(file->self); },
    .append = Append,
    .tell = Position,
    .flush = Flush,
    .sync = Flush,
    .close = Close,
};

}  // namespace bucketline::tf
