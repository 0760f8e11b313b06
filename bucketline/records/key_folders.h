// The folders in a key: where it lies below a prefix, and what its parts are.
#pragma once

#include <optional>
#include <string_view>

namespace bucketline {

// `key` below `prefix`; where the prefix ends within a folder's name ("tr" for "train/cat/1.jpg"), that whole
// folder is below it. nullopt when the key is elsewhere.
std::optional<std::string_view> KeyBelow(std::string_view key, std::string_view prefix);

// "a/b/c.jpg": "a/b" (without its last "/"; "" when there is none), and "c.jpg".
std::string_view FolderOfKey(std::string_view key);
std::string_view NameOfKey(std::string_view key);

// Without the last extension of its name: "a/b.tar.gz" is "a/b.tar", ".hidden" stays.
std::string_view StemOfKey(std::string_view key);

}  // namespace bucketline
