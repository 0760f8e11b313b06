// Checkpoints: files under step-NNNNNNNN/, then best.json when it is the best so far, then latest.json last,
// each by one PUT: the only things that readers trust.
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
  enum Which { kLatest, kBest };

  // `uri`: a prefix or folder; it need not exist.
  CheckpointFolder(Runtime& runtime, std::string_view uri);

  // Writes every file, then best.json if it is the `best` so far, then latest.json (names, sizes and SHA-256
  // hashes), then deletes all but the newest `keep` checkpoints and the best one. A crash at any point leaves
  // what best.json and latest.json name complete: the files go to a folder that neither names, which is
  // step-NNNNNNNN-1/ when an earlier run has left its own at this step. Throws what the store says.
  void Save(const Checkpoint& checkpoint, size_t keep, bool best = false);

  // The checkpoint that latest.json or best.json names, each file checked against its size and hash; nullopt
  // when there is no such .json. Throws kCorruptData naming the file that is missing or not what was saved.
  std::optional<Checkpoint> Load(Which which = kLatest);

  const std::string& uri() const { return uri_; }

 private:
  std::string KeyOf(std::string_view name) const;
  std::string NamedFolder(Which which);
  std::string FreeFolder(uint64_t step);
  void DeleteOld(uint64_t newest, size_t keep);

  std::string uri_;
  std::string prefix_;  // key of the folder, with a "/" at the end unless empty
  std::shared_ptr<ObjectStore> store_;
  std::map<Which, std::string> named_;  // folders that the two .json name; read before the first save
};

}  // namespace bucketline
