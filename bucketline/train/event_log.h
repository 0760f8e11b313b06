// EventLog: TensorBoard's scalars of one run, in any store.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bucketline/base/clock.h"
#include "bucketline/runtime/runtime.h"
#include "bucketline/train/background.h"

namespace bucketline {

// Writes files events.out.tfevents.SECONDS.MICROSECONDS.NUMBER, whose names sort in the order in which TensorBoard
// reads them: one for each flush, because an object store has no append. Used by one thread; files are written
// on another. A write that failed is thrown by the next Add, Flush or Close, once.
class EventLog {
 public:
  static constexpr Duration kFlushPeriod = std::chrono::seconds(30);
  static constexpr size_t kFlushBytes = size_t{1} << 20;

  // `uri`: a prefix or folder; it need not exist. `first_step`: where this run begins or goes on; TensorBoard
  // forgets what an earlier run has written of it and later.
  EventLog(Runtime& runtime, std::string_view uri, uint64_t first_step, const Clock& clock = Clock::Real());
  ~EventLog();  // Close(), without its errors

  // Also flushes when the oldest event is older than kFlushPeriod, or kFlushBytes have come together.
  void Add(std::string_view tag, uint64_t step, double value);
  void Flush();  // starts writing what has come together; nothing when that is nothing
  void Close();  // flushes, and waits until all is written

 private:
  double WallSeconds() const;
  void Append(std::string_view event);

  const Clock& clock_;
  std::shared_ptr<ObjectStore> store_;
  std::string prefix_;  // of the files' keys, up to the number
  uint64_t number_ = 0;
  std::string pending_;
  SteadyTime oldest_;  // of what is pending
  Background background_;
};

}  // namespace bucketline
