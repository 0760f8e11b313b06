// MountReader: the bytes of a dataset's objects at any offset, with the read-ahead that their readers' habits suggest.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <vector>

#include "bucketline/base/bytes.h"
#include "bucketline/base/log.h"
#include "bucketline/channel/mount_order_plan.h"
#include "bucketline/channel/mount_pace.h"
#include "bucketline/channel/mount_pool.h"
#include "bucketline/channel/mount_read_plan.h"
#include "bucketline/dataset/dataset.h"

namespace bucketline {

// Thread-safe. Holds at most `memory` bytes of objects: 3/4 read ahead, 1/8 in what readers wait for, 1/8 in buffers that
// are used again. Every read is of the state that was listed.
class MountReader {
 public:
  static constexpr uint64_t kLeastMemory = uint64_t{16} << 20;

  // Throws kResourceExhausted for less memory than kLeastMemory.
  MountReader(Dataset dataset, uint64_t memory, LogSink log);

  // An object that is open for one reader. Must not outlive the MountReader.
  class File;
  std::unique_ptr<File> Open(uint64_t record);

  // These bytes of the file, one after another; as many fewer as lie beyond its end. Waits for them. Throws what the store
  // says, of which the first of each object is logged; kCancelled when stopped. Precondition: length <= kLongestRead.
  std::vector<Bytes> Read(File& file, uint64_t offset, uint64_t length, const std::stop_token& stop);
  static constexpr uint64_t kLongestRead = uint64_t{1} << 20;

  uint64_t bytes_read() const { return bytes_read_.load(std::memory_order_relaxed); }
  uint64_t failed_reads() const { return failed_reads_.load(std::memory_order_relaxed); }

 private:
  friend class File;
  // What a reader's window and pace were at the end of a file, for the next one in its run.
  struct Carried {
    uint64_t window = 0;
    MountPace pace;
  };
  void ReadAhead(File& file, MountRange range);
  std::optional<Carried> TakeCarried(uint64_t record);
  void Carry(uint64_t record, Carried carried);
  uint64_t MostAhead(const File& file, SteadyTime now) const;
  void ReadAheadOfOrder(File& file);
  void ReadOn(uint64_t record, uint64_t bytes);
  std::shared_ptr<Reservation> WaitForRoom(uint64_t bytes, const std::stop_token& stop);
  // What it gives holds `room` too.
  Bytes ReadNow(File& file, MountRange range, const std::shared_ptr<Reservation>& room,
                const std::stop_token& stop);
  void Report(uint64_t record, const Error& error);

  const Dataset dataset_;
  const LogSink log_;
  MemoryBudget waited_for_;
  std::atomic<uint64_t> open_windows_{0};
  std::atomic<uint64_t> bytes_read_{0};
  std::atomic<uint64_t> failed_reads_{0};
  std::mutex mutex_;  // guards what follows
  MountOrderPlan order_;
  std::map<uint64_t, Carried> carried_;  // by record
  std::set<uint64_t> reported_;          // records
  MountPool pool_;                       // last: its completions use the rest
};

class MountReader::File {
 public:
  File(MountReader& reader, uint64_t record);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  uint64_t size() const { return place_.part.length; }

 private:
  friend class MountReader;

  MountReader& reader_;
  const uint64_t record_;
  const PartPlace place_;
  std::atomic<bool> begun_{false};
  std::mutex mutex_;         // guards what follows
  bool in_run_ = false;      // read after its neighbour
  uint64_t reading_on_ = 0;  // bytes of the files after it that were asked for
  MountPace pace_;
  MountReadPlan plan_;
};

}  // namespace bucketline
