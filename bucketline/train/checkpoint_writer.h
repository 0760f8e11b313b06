// CheckpointWriter: saves checkpoints while training goes on.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "bucketline/train/background.h"
#include "bucketline/train/checkpoint.h"

namespace bucketline {

struct SavedCheckpoint {
  uint64_t step = 0;
  double seconds = 0;  // from the start of `make` to latest.json
};

// Used by one thread; the work is done on another. One save at a time, in order, so that latest.json never
// goes back. A failed save is thrown by the next call, once.
class CheckpointWriter {
 public:
  CheckpointWriter(Runtime& runtime, std::string_view uri, size_t keep)
      : folder_(runtime, uri), keep_(keep), background_("bl-checkpoint") {}

  const std::string& uri() const { return folder_.uri(); }
  std::optional<Checkpoint> Load() { return folder_.Load(); }

  // Waits for the save before. `make` turns what it holds into files, on the other thread; it is destroyed
  // there.
  void Save(std::function<Checkpoint()> make, bool best);
  bool busy() const { return background_.busy(); }
  void Wait() { background_.Wait(); }

  // What was saved since the last call; throws the failure of a save that has ended. Never waits.
  std::vector<SavedCheckpoint> TakeSaved();

 private:
  CheckpointFolder folder_;
  const size_t keep_;
  std::mutex mutex_;
  std::vector<SavedCheckpoint> saved_;
  Background background_;  // last: its task uses the rest
};

}  // namespace bucketline
