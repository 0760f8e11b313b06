#include "bucketline/train/checkpoint_writer.h"

#include <chrono>
#include <utility>

#include "bucketline/base/clock.h"

namespace bucketline {

void CheckpointWriter::Save(std::function<Checkpoint()> make, bool best) {
  background_.Start([this, make = std::move(make), best] {
    const SteadyTime start = Clock::Real().Now();
    const Checkpoint checkpoint = make();
    folder_.Save(checkpoint, keep_, best);
    const std::chrono::duration<double> took = Clock::Real().Now() - start;
    const std::lock_guard lock(mutex_);
    saved_.push_back({.step = checkpoint.step, .seconds = took.count()});
  });
}

std::vector<SavedCheckpoint> CheckpointWriter::TakeSaved() {
  background_.Check();
  const std::lock_guard lock(mutex_);
  return std::exchange(saved_, {});
}

}  // namespace bucketline
