// ListingLog: what was listed so far, in a local file, so that a listing that was killed goes on where it was.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/store/parallel_list.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {

// Pages are appended as they come, each with a checksum; an end that was cut in the middle of one is dropped. Not
// thread-safe; one process at a time.
class ListingLog {
 public:
  // Opens `path`, or makes it. `listing` names what is listed. Throws kInvalidArgument when the file is of another listing
  // or is none, kUnavailable when another process lists into it, kIo.
  ListingLog(std::string path, std::string_view listing);

  // What is there, in the order in which it came. To be called before Append.
  void Replay(const std::function<void(ListedRange listed)>& take);

  // Throws kIo. What is appended outlives this process, not the machine.
  void Append(const ListedRange& listed);

  // The keys that no page covers.
  std::vector<KeyRange> Missing() const;

 private:
  void Write(std::string_view payload);

  const std::string path_;
  UniqueFd file_;
  std::vector<KeyRange> done_;
};

// Removes the file, if there is one. Throws kInvalidArgument when it is no log.
void RemoveListingLog(const std::string& path);

// What the ranges, in any order, leave out.
std::vector<KeyRange> Gaps(std::vector<KeyRange> ranges);

}  // namespace bucketline
