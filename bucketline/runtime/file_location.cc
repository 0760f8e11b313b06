#include "bucketline/runtime/file_location.h"

#include <filesystem>

namespace bucketline {

FileLocation LocateFile(std::string_view path) {
  std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  if (normal.is_relative() && normal.begin() != normal.end() && *normal.begin() == "..") {
    normal = std::filesystem::absolute(normal).lexically_normal();
  }
  if (normal.is_absolute()) return {.root = "/", .key = normal.relative_path().string()};
  const std::string key = normal.string();
  return {.root = ".", .key = key == "." || key == "./" ? "" : key};
}

}  // namespace bucketline
