// CacheFiles: the files of one cache, opened, and the steps that change them: each leaves counters that are right, or a
// mark of what to count again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bucketline/cache/counter_file.h"
#include "bucketline/cache/dataset_folder.h"
#include "bucketline/cache/layout.h"
#include "bucketline/cache/range_lock.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {

constexpr uint64_t kMinCacheBytes = uint64_t{1} << 20;

// A writer's own opening of the lock file, and its slot.
struct Lane {
  UniqueFd locks;
  size_t slot = 0;
  std::optional<RangeLock> alive = {};  // declared after `locks`, so released before
};

// Thread-safe.
class CacheFiles {
 public:
  // The folder is made, for its user alone, when it is not there. Throws kInvalidArgument when it lies on a network's
  // file system, PosixError naming the folder when it cannot be made or written.
  static std::unique_ptr<CacheFiles> OpenOrMake(const std::string& path);
  // kNotFound when the folder is no cache.
  static std::unique_ptr<CacheFiles> OpenExisting(const std::string& path);

  const std::string& path() const { return path_; }
  int root() const { return root_.get(); }
  uint64_t block() const { return block_; }
  SharedState& state() const { return *static_cast<SharedState*>(map_->data()); }

  UniqueFd OpenLocks() const;
  // With a free slot. Throws kResourceExhausted when there is none.
  Lane MakeLane() const;

  uint64_t BaseBytes() const;
  std::vector<std::unique_ptr<DatasetFolder>> Datasets() const;
  // What was half made or half removed goes, and `used` becomes the sum of the datasets' counters. Only when nobody adds.
  void SumUp() const;

  // A dataset's folder whose counters are not whole, with what nobody counts. Under the directory's lock.
  void RemoveOrphan(uint64_t dataset) const;

  // What the state says of the folder's bytes becomes `count`.
  void Settle(const DatasetFolder& dataset, size_t folder, DatasetFolder::Count count) const;
  // Takes `bytes` more of the limit, for this folder; false when they do not fit. Under the folder's lock, on a marked slot.
  bool Take(const DatasetFolder& dataset, size_t folder, uint64_t bytes) const;
  void GiveBack(const DatasetFolder& dataset, size_t folder, uint64_t bytes) const;
  bool TakeOwn(uint64_t bytes) const;  // for no folder
  void GiveBackOwn(uint64_t bytes) const;

  // Empties it, under its exclusive lock; false when that was not to be had in time.
  bool Empty(const DatasetFolder& dataset, size_t folder, const Lane& lane) const;
  // Counts it again, under its exclusive lock; false as above.
  bool CountAgain(const DatasetFolder& dataset, size_t folder, const Lane& lane) const;

  // What writers that ended in the middle have left is cleared away. Under the directory's lock.
  void Recover(const Lane& lane) const;
  // Empties folders of datasets that nobody uses, the one longest unused first, until `bytes` more fit. False when there is
  // nothing left to empty. Under the directory's lock.
  bool MakeRoom(uint64_t bytes, const Lane& lane) const;
  // Empties folders of any dataset, used or not, until no more than the limit is used. Under the directory's lock.
  void Shrink(const Lane& lane) const;
  // Whether so many bytes more are within the limit, now.
  bool Fits(uint64_t bytes) const;
  // Under the directory's lock, when it is empty and nobody uses it.
  void Remove(const DatasetFolder& dataset) const;

 private:
  CacheFiles(std::string path, UniqueFd root);
  void OpenState(bool make);
  bool OpenWholeState();
  bool EmptyUntilFits(const DatasetFolder& dataset, uint64_t bytes, const Lane& lane) const;
  std::vector<uint64_t> DatasetIds() const;

  const std::string path_;
  const UniqueFd root_;
  uint64_t block_ = 4096;
  std::unique_ptr<CounterFile> map_;
};

// Marks what a lane's writer works on while it lives.
class SlotMark {
 public:
  SlotMark(const CacheFiles& files, const Lane& lane, uint64_t dataset, size_t folder)
      : slot_(files.state().slots[lane.slot]) {
    slot_.dataset = dataset;
    slot_.folder_plus_one = folder + 1;
  }
  SlotMark(const SlotMark&) = delete;
  SlotMark& operator=(const SlotMark&) = delete;
  ~SlotMark() { slot_.folder_plus_one = 0; }

 private:
  WriterSlot& slot_;
};

}  // namespace bucketline
