// Keys as relative paths: which are allowed, and which names writers keep for themselves.
#pragma once

#include <string>
#include <string_view>

namespace bucketline {

// Names that start with this are temporary files of writers: never objects.
inline constexpr std::string_view kTempNamePrefix = ".bucketline-tmp-";

// Throws kInvalidArgument unless the key is segments of 1 to 255 bytes joined by "/", none of them "." or
// "..", none with a NUL, none a writer's temporary name.
void CheckFileKey(std::string_view key);

bool IsTempName(std::string_view name);

// A new name for a temporary file.
std::string MakeTempName();

// "a/b" of "a/b/c"; "" of "c".
std::string_view FolderOf(std::string_view key);
// "c" of "a/b/c".
std::string_view NameOf(std::string_view key);

}  // namespace bucketline
