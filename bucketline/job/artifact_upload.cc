#include "bucketline/job/artifact_upload.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/job/artifact_header.h"
#include "bucketline/job/gzip_stream.h"
#include "bucketline/records/tar_header.h"
#include "bucketline/store/posix_error.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {
namespace {

constexpr size_t kChunk = size_t{256} << 10;
constexpr int kGzipLevel = 1;  // weights hardly shrink, and the network is faster than the higher levels

std::span<const uint8_t> BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Gives the first `size` bytes of a file to `out`, or all of them. A FIFO that took the file's place does not block.
void ReadFile(const std::string& path, std::optional<uint64_t> size, const std::stop_token& stop,
              const ByteConsumer& out) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) throw PosixError(errno, "open this file", path);
  std::vector<uint8_t> chunk(kChunk);
  for (uint64_t left = size.value_or(UINT64_MAX); left > 0;) {
    if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped on request", path);
    const ssize_t got = read(file.get(), chunk.data(), static_cast<size_t>(std::min<uint64_t>(left, kChunk)));
    if (got < 0) {
      if (errno == EINTR) continue;
      throw PosixError(errno, "read this file", path);
    }
    if (got == 0) {
      if (!size) return;
      throw Error(ErrorCode::kObjectChanged, "became shorter while it was uploaded", path);
    }
    out({chunk.data(), static_cast<size_t>(got)});
    left -= static_cast<uint64_t>(got);
  }
}

}  // namespace

ObjectInfo UploadArchive(const ArtifactTree& tree, ObjectStore& store, const std::string& key,
                         const std::stop_token& stop) {
  const auto writer = store.OpenWriter(key, {.content_type = "application/gzip", .stop = stop});
  GzipStream gzip([&](std::span<const uint8_t> data) { writer->Write(data); }, kGzipLevel);
  for (const ArtifactEntry& entry : tree.entries) {
    gzip.Write(BytesOf(ArtifactHeader(entry)));
    if (entry.kind != ArtifactKind::kFile) continue;
    ReadFile(entry.path, entry.size, stop, [&](std::span<const uint8_t> data) { gzip.Write(data); });
    gzip.Write(BytesOf(std::string(TarPadding(entry.size), '\0')));
  }
  gzip.Write(BytesOf(std::string(kTarEnd, '\0')));
  gzip.Finish();
  return writer->Commit();
}

void UploadFiles(const ArtifactTree& tree, ObjectStore& store, const std::string& prefix,
                 const std::stop_token& stop) {
  for (const ArtifactEntry& entry : tree.entries) {
    std::error_code ignored;
    const bool is_file =
        entry.kind == ArtifactKind::kFile ||
        (entry.kind == ArtifactKind::kLink && std::filesystem::is_regular_file(entry.path, ignored));
    if (is_file) UploadFile(entry.path, store, prefix + entry.name, stop);
  }
}

ObjectInfo UploadFile(const std::string& path, ObjectStore& store, const std::string& key,
                      const std::stop_token& stop) {
  const auto writer = store.OpenWriter(key, {.stop = stop});
  ReadFile(path, std::nullopt, stop, [&](std::span<const uint8_t> data) { writer->Write(data); });
  return writer->Commit();
}

}  // namespace bucketline
