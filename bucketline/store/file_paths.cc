#include "bucketline/store/file_paths.h"

#include <cstdint>
#include <random>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr size_t kMaxNameBytes = 255;  // NAME_MAX of every Linux file system in use

// nullptr when the segment is fine.
const char* FaultOf(std::string_view segment) {
  if (segment.empty()) return "an empty segment (a leading, trailing or doubled '/')";
  if (segment == "." || segment == "..") return "a segment '.' or '..'";
  if (segment.size() > kMaxNameBytes) return "a segment of more than 255 bytes";
  if (segment.find('\0') != std::string_view::npos) return "a NUL byte";
  if (IsTempName(segment)) return "a name reserved for temporary files";
  return nullptr;
}

}  // namespace

void CheckFileKey(std::string_view key) {
  size_t begin = 0;
  while (true) {
    const size_t end = key.find('/', begin);
    if (const char* fault = FaultOf(key.substr(begin, end - begin))) {
      throw Error(ErrorCode::kInvalidArgument, fmt::format("the key cannot be a file: it has {}", fault));
    }
    if (end == std::string_view::npos) return;
    begin = end + 1;
  }
}

bool IsTempName(std::string_view name) { return name.starts_with(kTempNamePrefix); }

std::string MakeTempName() {
  std::random_device random;
  const uint64_t number = (uint64_t{random()} << 32) | random();
  return fmt::format("{}{:016x}", kTempNamePrefix, number);
}

std::string_view FolderOf(std::string_view key) {
  const size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : key.substr(0, slash);
}

std::string_view NameOf(std::string_view key) { return key.substr(key.rfind('/') + 1); }

}  // namespace bucketline
