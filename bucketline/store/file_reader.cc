#include "bucketline/store/file_reader.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>

#include "bucketline/store/posix_error.h"
#include "bucketline/store/read_rules.h"

namespace bucketline {
namespace {

constexpr size_t kChunkBytes = size_t{4} << 20;  // between two looks at the stop token

Error Changed() { return Error(ErrorCode::kObjectChanged, "the file changed while it was read; list again"); }

void ReadFully(int fd, uint64_t offset, std::span<uint8_t> memory, const CallStop& stop) {
  while (!memory.empty()) {
    stop.Check({});
    const size_t want = std::min(memory.size(), kChunkBytes);
    const ssize_t got = ::pread(fd, memory.data(), want, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw PosixError(errno, "read it");
    if (got == 0) throw Changed();  // shorter than its status said
    memory = memory.subspan(static_cast<size_t>(got));
    offset += static_cast<uint64_t>(got);
  }
}

}  // namespace

ObjectInfo ReadFileObject(const FileRoot& root, const GetRequest& request, GetSink& sink,
                          const CallStop& stop) {
  struct stat status = {};
  const UniqueFd file = OpenObject(root, request.key, O_RDONLY, &status);
  ObjectInfo object = ObjectOf(request.key, status);
  const std::span<uint8_t> memory = BeginRead(sink, LengthToRead(request, object), object);
  ReadFully(file.get(), request.offset, memory, stop);
  if (ObjectOf(request.key, StatusOf(file.get())).etag != object.etag) throw Changed();
  return object;
}

}  // namespace bucketline
