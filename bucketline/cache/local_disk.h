// What file systems a cache may lie on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bucketline {

// The name of a file system that several machines share, of its statfs type; nullopt for others.
std::optional<std::string_view> NetworkFileSystem(uint64_t type);

// Throws kInvalidArgument naming `path` when the open folder lies on such a one.
void RequireLocalDisk(int folder, const std::string& path);

}  // namespace bucketline
