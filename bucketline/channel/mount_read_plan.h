// MountReadPlan: which ranges of a file to ask for ahead of what its reader has asked for so far.
#pragma once

#include <cstdint>
#include <optional>

namespace bucketline {

struct MountRange {
  uint64_t offset = 0;
  uint64_t length = 0;

  uint64_t end() const { return offset + length; }
  friend bool operator==(const MountRange&, const MountRange&) = default;
};

// A file of at most this many bytes is read whole at its first read; of a larger one this is what a first read at 0
// asks for.
inline constexpr uint64_t kMountHead = uint64_t{1} << 20;

// For one open file; pure. Reads that follow one another are a run, which opens a window ahead of it: of four times what
// the run has read, a few MiB at least and `most` at most. Any other read closes it. What is in the window is asked for in
// pieces, so that several are under way at a time.
//
// The kernel sends reads of one file at the same time, so they may come in another order than they were made: in an
// open window a read that is a little before or after the expected place still follows.
class MountReadPlan {
 public:
  explicit MountReadPlan(uint64_t size) : size_(size) {}

  // Notes a read of [offset, offset + length), within the file.
  void Note(uint64_t offset, uint64_t length, uint64_t most);

  // As if a reader stood at the begin of the file with this window.
  void OpenAtBegin(uint64_t window);

  // The next piece to ask for, if one is due. It counts as asked for once Asked() was called.
  std::optional<MountRange> Due() const;
  void Asked(const MountRange& range) { asked_ = range.end(); }

  uint64_t window() const { return window_; }  // bytes; 0: closed
  // Bytes of the window beyond the end of the file, once all before it was asked for in a run from its begin.
  uint64_t beyond_end() const;
  // What lies before this offset is not expected to be read again. 0 when nothing is known.
  uint64_t behind() const;

 private:
  bool Follows(uint64_t offset) const;

  const uint64_t size_;
  bool begun_ = false;
  uint64_t run_ = 0;     // where the run began
  uint64_t next_ = 0;    // where its next read is expected
  uint64_t window_ = 0;  // bytes beyond next_
  uint64_t asked_ = 0;   // what is before this was asked for
};

}  // namespace bucketline
