// ResponseHeadParser: header lines as they come off the wire become one HttpResponseHead.
#pragma once

#include <cstddef>
#include <string_view>

#include "bucketline/base/result.h"
#include "bucketline/http/transport.h"

namespace bucketline {

// Skips informational (1xx) heads and ignores what follows the final one (trailers of a chunked body).
// Not thread-safe.
class ResponseHeadParser {
 public:
  // A hostile server must not make us keep its header lines without end.
  static constexpr size_t kMaxHeadBytes = 256 << 10;

  // Takes one line, with or without its line end. True exactly once: when the final head is complete.
  // kCorruptData: no status line, an unreadable or contradictory Content-Length, or more than kMaxHeadBytes.
  Result<bool> AddLine(std::string_view line);

  bool complete() const { return complete_; }
  const HttpResponseHead& head() const { return head_; }  // whole once complete()

 private:
  Result<void> StartHead(std::string_view status_line);
  void AddHeader(std::string_view line);
  Result<void> FindLength();

  HttpResponseHead head_;
  size_t bytes_ = 0;
  bool started_ = false;
  bool complete_ = false;
};

}  // namespace bucketline
