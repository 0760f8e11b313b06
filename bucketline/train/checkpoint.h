// Checkpoints: files under step-NNNNNNNN/, then latest.json last, by one PUT: the only thing that readers
// trust.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "bucketline/base/bytes.h"
#include "bucketline/runtime/runtime.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

struct Checkpoint {
  uint64_t step = 0;
  std::map<std::string, Bytes> files;  // by name, without the folder
};

// A folder of checkpoints in any store. Not thread-safe; one writer at a time.
class CheckpointFolder {
 public:
  // `uri`: a prefix or folder; it need not exist.
  CheckpointFolder(Runtime& runtime, std::string_view uri);

  // Writes every file, then latest.json (names, sizes and SHA-256 hashes), then deletes all but the newest
  // `keep` checkpoints. A crash at any point leaves the last complete checkpoint readable. Throws what the
  // store says.
  void Save(const Checkpoint& checkpoint, size_t keep);

  // The checkpoint that latest.json names, each file checked against its size and hash; nullopt when there is
  // no latest.json. Throws kCorruptData naming the file that is missing or not what was saved.
  std::optional<Checkpoint> Load();

  const std::string& uri() const { return uri_; }

 private:
  std::string KeyOf(std::string_view name) const;
  void DeleteOld(uint64_t newest, size_t keep);

  std::string uri_;
  std::string prefix_;  // key of the folder, with a "/" at the end unless empty
  std::shared_ptr<ObjectStore> store_;
};

}  // namespace bucketline
