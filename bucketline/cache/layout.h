// How a cache lies on the disk:
//
//   lock                     empty; its bytes are locked (LockByte below)
//   state                    SharedState
//   d-<hash of a dataset>/   info (DatasetInfo), and folders 00 .. ff of entries named by their hash; t-<slot> is one that
//                            is being written
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace bucketline {

constexpr uint32_t kCacheVersion = 1;
constexpr size_t kFoldersPerDataset = 256;
constexpr size_t kSlots = 1024;  // writers at a time, in all processes

static_assert(std::atomic<uint64_t>::is_always_lock_free && std::atomic<uint32_t>::is_always_lock_free);

// What a writer works on: the folder's counter may be off when it ends before it is done.
struct WriterSlot {
  std::atomic<uint64_t> dataset;
  std::atomic<uint64_t> folder_plus_one;  // 0: on nothing
};

// Shared by all processes; counters in bytes of disk as DiskBytes counts them.
struct SharedState {
  static constexpr uint64_t kMagic = 0x5453484341434c42;  // "BLCACHST"

  uint64_t magic;
  uint32_t version;
  uint32_t reserved;
  std::atomic<uint64_t> limit;
  std::atomic<uint64_t> used;     // never less than what is there, unless it is not counted
  std::atomic<uint64_t> boot;     // of the system, when it was counted
  std::atomic<uint64_t> counted;  // 0: nobody may add
  uint8_t unused[4096 - 48];
  WriterSlot slots[kSlots];
};
static_assert(sizeof(SharedState) == 4096 + 16 * kSlots);

struct DatasetInfo {
  static constexpr uint64_t kMagic = 0x5344484341434c42;  // "BLCACHDS"
  static constexpr size_t kNameBytes = 4096 - 24;

  uint64_t magic;
  uint32_t version;
  uint32_t name_size;
  std::atomic<int64_t> last_used;  // nanoseconds since 1970
  char name[kNameBytes];
  std::atomic<uint64_t> bytes[kFoldersPerDataset];
  std::atomic<uint64_t> entries[kFoldersPerDataset];
};
static_assert(sizeof(DatasetInfo) == 8192);

// Bytes of the file `lock`. A process holds a slot's exclusively for each of its writers, a dataset's shared while it uses
// it, a folder's shared while it adds to it and exclusively while it takes away; the directory's while it opens the cache,
// makes or removes a dataset or makes room.
namespace lock_byte {
constexpr uint64_t kFirstSlot = 0;
constexpr uint64_t kDirectory = 2048;
constexpr uint64_t kCounting = 2049;
constexpr uint64_t kIdMask = (uint64_t{1} << 40) - 1;
constexpr uint64_t OfUse(uint64_t dataset) { return (uint64_t{1} << 41) + (dataset & kIdMask); }
constexpr uint64_t OfFolder(uint64_t dataset, size_t folder) {
  return (uint64_t{1} << 50) + (dataset & kIdMask) * kFoldersPerDataset + folder;
}
}  // namespace lock_byte

}  // namespace bucketline
