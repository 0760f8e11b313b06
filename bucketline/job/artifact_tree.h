// What the hosts of a job have written, as one tree.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bucketline {

enum class ArtifactKind { kFile, kFolder, kLink };

struct ArtifactEntry {
  std::string name;  // below the folder: "a/b.bin"
  std::string path;  // where it lies
  ArtifactKind kind = ArtifactKind::kFile;
  uint64_t size = 0;        // bytes of a file
  uint32_t mode = 0;        // permission bits
  int64_t modified = 0;     // seconds since 1970
  std::string target = {};  // of a link, as it stands there
};

struct ArtifactTree {
  std::vector<ArtifactEntry> entries;  // bytewise by name, each once
  std::vector<std::string> skipped;    // paths of sockets, FIFOs and devices, which no archive can hold
};

// Everything below the folders, links not followed; folders that several have are one. Throws kAlreadyExists naming both
// places when two have anything else under one name; what the file system says.
ArtifactTree CollectArtifacts(const std::vector<std::string>& folders);

}  // namespace bucketline
